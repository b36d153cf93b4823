import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface RunOptions {
  readonly cwd?: URL | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
  /** @default this Node */
  readonly program?: string | undefined
}

/** A program of ours, run from the packages' sources, with its output kept. */
export class RunningProcess {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #output = ''
  #more = Promise.withResolvers<void>()

  constructor(args: readonly string[], { cwd, env, program = process.execPath }: RunOptions = {}) {
    const child = spawn(program, ['--conditions=query-tags-source', ...args], {
      cwd,
      // Vitest's NODE_ENV would make Vite build a page for development. With CI set, tools print in colour even into a pipe.
      env: { ...process.env, NODE_ENV: undefined, FORCE_COLOR: undefined, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => this.#keep(chunk))
    this.#child = child
    this.#ended = once(child, 'close')
  }

  get output(): string {
    return this.#output
  }

  /** Waits for output; rejects with all of it when the process ends first. */
  async printed(pattern: RegExp): Promise<RegExpMatchArray> {
    let isOver = false
    while (true) {
      const match = this.#output.match(pattern)
      if (match) return match
      if (isOver) throw new Error(`ended without printing ${pattern}:\n${this.#output}`)
      isOver = await Promise.race([this.#ended.then(() => true), this.#more.promise.then(() => false)])
    }
  }

  /** Sends a signal and waits for the end. */
  async end(signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    this.#child.kill(signal)
    return this.ended()
  }

  /** The exit code; `null` when a signal ended it. */
  async ended(): Promise<number | null> {
    await this.#ended
    return this.#child.exitCode
  }

  #keep(chunk: Buffer): void {
    this.#output += chunk.toString()
    this.#more.resolve()
    this.#more = Promise.withResolvers()
  }
}
