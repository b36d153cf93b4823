import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { hasEnded, kill, startProcess } from '../../../scripts/start-process.ts'
import type { ServerConfig, ServerReport } from './server-process.ts'

const PROGRAM = fileURLToPath(new URL('server-process.ts', import.meta.url))
const GUARD_HOOK = new URL('../../../scripts/guard-hook.ts', import.meta.url).href
const EXIT_WITH_PARENT = new URL('../../../scripts/exit-with-parent.ts', import.meta.url).href

const START_MS = 30_000

export interface ServerOptions extends ServerConfig {
  /** Runs it without this guard; see `scripts/guards.ts`. */
  readonly withoutGuard?: string | undefined
}

/** A server process. Each is a new one after a kill. */
export class ServerChild {
  readonly port: number
  readonly #process: ChildProcess
  #isKilled = false
  #log = ''

  private constructor(child: ChildProcess, port: number) {
    this.#process = child
    this.port = port
    child.stdout?.on('data', (bytes: Buffer) => this.#keep(bytes))
    child.stderr?.on('data', (bytes: Buffer) => this.#keep(bytes))
  }

  static async start({ withoutGuard, ...config }: ServerOptions): Promise<ServerChild> {
    const hook = withoutGuard === undefined ? [] : ['--import', GUARD_HOOK]
    const args = ['--conditions=query-tags-source', '--import', EXIT_WITH_PARENT, ...hook]
    const child = startProcess(process.execPath, [...args, PROGRAM, JSON.stringify(config)], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, REMOVE_GUARD: withoutGuard },
    })
    let log = ''
    child.stderr!.on('data', (bytes: Buffer) => (log += bytes.toString()))
    const ended = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`the server process ended (${code ?? signal}): ${log}`)
    })
    const [{ port }] = (await Promise.race([
      once(child, 'message', { signal: AbortSignal.timeout(START_MS) }),
      ended,
    ])) as [{ port: number }]
    ended.catch(() => undefined)
    return new ServerChild(child, port)
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** What it said when it ended by itself; `undefined` while it runs, or when it was told to end. */
  get crash(): string | undefined {
    return hasEnded(this.#process) && !this.#isKilled ? this.#log || 'no output' : undefined
  }

  async report(): Promise<ServerReport> {
    const response = await fetch(`${this.url}/stats`)
    return (await response.json()) as ServerReport
  }

  /** One of its metrics, the sum of all labels. */
  async metric(name: string): Promise<number> {
    const response = await fetch(`${this.url}/metrics`)
    const lines = (await response.text()).split('\n').filter((line) => line.split(/[ {]/)[0] === name)
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  /** Ends its streams over some time, then the process, as a deployment does. */
  async retire(drainMs: number): Promise<ServerReport> {
    const response = await fetch(`${this.url}/close`, {
      method: 'POST',
      body: JSON.stringify({ drainMs, deadlineMs: drainMs + 5000 }),
    })
    const report = (await response.json()) as ServerReport
    await this.kill()
    return report
  }

  pause(): void {
    this.#process.kill('SIGSTOP')
  }

  resume(): void {
    this.#process.kill('SIGCONT')
  }

  async kill(): Promise<void> {
    this.#isKilled ||= !hasEnded(this.#process)
    await kill(this.#process, 'SIGKILL')
  }

  #keep(bytes: Buffer): void {
    this.#log = (this.#log + bytes.toString()).slice(-4000)
  }
}
