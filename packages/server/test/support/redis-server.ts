import { execFile, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startProcess } from '../../../../scripts/start-process.ts'
import { findRedis } from '../../../../scripts/tools.ts'

const run = promisify(execFile)

/** Whether this machine has a Redis for tests to start; those that need one skip themselves without. */
export const hasRedis: boolean = findRedis() !== undefined

export interface RedisServerOptions {
  /** @default a free one */
  readonly port?: number
  /** More settings, as on its command line: `['--appendonly', 'yes']`. */
  readonly settings?: readonly string[]
}

/** A real redis-server on a port of 127.0.0.1, that a test starts, breaks and ends. Without persistence, unless its settings say so. */
export class RedisServer {
  readonly port: number
  readonly #settings: readonly string[]
  readonly #directory: string
  #process: ChildProcess | undefined

  private constructor(port: number, settings: readonly string[], directory: string) {
    this.port = port
    this.#settings = settings
    this.#directory = directory
  }

  static async start({ port, settings = [] }: RedisServerOptions = {}): Promise<RedisServer> {
    const server = await RedisServer.prepare({ ...(port === undefined ? {} : { port }), settings })
    await server.start()
    return server
  }

  /** Has a port, and waits for {@link start}. */
  static async prepare({ port, settings = [] }: RedisServerOptions = {}): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), 'query-tags-redis-'))
    return new RedisServer(port ?? (await freePort()), settings, directory)
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Starts it, again too; with what it had saved if it persists. Resolves when it answers. */
  async start(): Promise<void> {
    const basics = ['--bind', '127.0.0.1', '--port', `${this.port}`, '--dir', this.#directory]
    const quick = ['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0', '--loglevel', 'warning']
    const settings = [...basics, ...quick, ...this.#settings]
    const child = startProcess(findRedis() ?? 'redis-server', settings, { stdio: 'ignore' })
    this.#process = child
    for (let i = 0; i < 200; i++) {
      if (child.exitCode !== null) throw new Error(`redis-server on port ${this.port} ended with ${child.exitCode}`)
      if ((await this.#answer()) === 'PONG') return
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    throw new Error(`redis-server on port ${this.port} did not answer`)
  }

  /** Runs a command with redis-cli: `cli('CONFIG', 'SET', 'maxmemory', '1mb')`. */
  async cli(...command: readonly string[]): Promise<string> {
    const { stdout } = await run('redis-cli', ['-p', `${this.port}`, ...command], { timeout: 10_000 })
    return stdout.trimEnd()
  }

  /** Becomes a replica of another, and has its data when this resolves. */
  async replicate(master: RedisServer): Promise<void> {
    await this.cli('REPLICAOF', '127.0.0.1', `${master.port}`)
    for (let i = 0; i < 400; i++) {
      if ((await this.cli('INFO', 'replication')).includes('master_link_status:up')) return
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    throw new Error(`The replica on port ${this.port} did not get in step`)
  }

  promote(): Promise<string> {
    return this.cli('REPLICAOF', 'NO', 'ONE')
  }

  /** Nothing runs in it any more, and nobody is told: its sockets stay open. */
  pause(): void {
    this.#process?.kill('SIGSTOP')
  }

  continue(): void {
    this.#process?.kill('SIGCONT')
  }

  /** Ends it without a word. {@link start} starts it again. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Ends it in order, as a deployment does. {@link start} starts it again. */
  async shutdown(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Ends it and removes its files. */
  async stop(): Promise<void> {
    await this.#end('SIGKILL')
    await rm(this.#directory, { recursive: true, force: true })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    // A paused one hears of a SIGTERM when it goes on.
    child.kill('SIGCONT')
    await exited
  }

  async #answer(): Promise<string> {
    try {
      return await this.cli('PING')
    } catch {
      // It does not listen yet.
      return ''
    }
  }
}

/** A port of 127.0.0.1 that nobody listens on at the moment, nor on the one 10,000 above it: the bus of a cluster has that. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    // Somebody has it.
    return false
  }
  const free = (server.address() as AddressInfo).port === port
  server.close()
  await once(server, 'close')
  return free
}
