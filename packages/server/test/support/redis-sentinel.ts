import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRedis } from '../../../../scripts/tools.ts'
import { RedisServer } from './redis-server.ts'

/** A master, its replica and one Sentinel that promotes the replica half a second after the master went. */
export class RedisSentinel {
  readonly name = 'main'
  readonly master: RedisServer
  readonly replica: RedisServer
  /** Speaks enough of Redis to be asked with `cli`. */
  readonly #sentinel: RedisServer
  readonly #directory: string
  readonly #process: ChildProcess

  private constructor(
    servers: readonly [master: RedisServer, replica: RedisServer, sentinel: RedisServer],
    directory: string,
    process: ChildProcess,
  ) {
    ;[this.master, this.replica, this.#sentinel] = servers
    this.#directory = directory
    this.#process = process
  }

  static async start(): Promise<RedisSentinel> {
    const [master, replica] = await Promise.all([RedisServer.start(), RedisServer.start()])
    await replica.replicate(master)
    const sentinel = await RedisServer.prepare()
    const directory = await mkdtemp(join(tmpdir(), 'query-tags-sentinel-'))
    const file = join(directory, 'sentinel.conf')
    await writeFile(
      file,
      [
        `port ${sentinel.port}`,
        'bind 127.0.0.1',
        `dir ${directory}`,
        `sentinel monitor main 127.0.0.1 ${master.port} 1`,
        'sentinel down-after-milliseconds main 500',
        'sentinel failover-timeout main 3000',
      ].join('\n'),
    )
    const process = spawn(findRedis() ?? 'redis-server', [file, '--sentinel'], { stdio: 'ignore' })
    const started = new RedisSentinel([master, replica, sentinel], directory, process)
    await started.#untilItKnowsTheReplica()
    return started
  }

  get nodes(): { host: string; port: number }[] {
    return [{ host: '127.0.0.1', port: this.#sentinel.port }]
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exited
    await Promise.all([this.master.stop(), this.replica.stop(), this.#sentinel.stop()])
    await rm(this.#directory, { recursive: true, force: true })
  }

  async #untilItKnowsTheReplica(): Promise<void> {
    for (let i = 0; i < 400; i++) {
      const replicas = await this.#sentinel.cli('SENTINEL', 'REPLICAS', 'main').catch(() => '')
      if (replicas.includes(`${this.replica.port}`)) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error('The Sentinel did not find the replica')
  }
}
