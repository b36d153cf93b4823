import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { slotOf } from '../../src/registry/redis/slot.ts'
import { RedisServer } from './redis-server.ts'

const run = promisify(execFile)

/** A Redis Cluster of masters without replicas. */
export class RedisCluster {
  readonly servers: readonly RedisServer[]

  private constructor(servers: readonly RedisServer[]) {
    this.servers = servers
  }

  static async start(size = 3): Promise<RedisCluster> {
    const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000']
    const servers = await Promise.all(Array.from({ length: size }, () => RedisServer.start({ settings })))
    const cluster = new RedisCluster(servers)
    await cluster.#manage('create', ...servers.map(({ port }) => `127.0.0.1:${port}`))
    await cluster.#settle()
    return cluster
  }

  get nodes(): { host: string; port: number }[] {
    return this.servers.map(({ port }) => ({ host: '127.0.0.1', port }))
  }

  /**
   * Moves the slot of a key, with its data, to another server.
   *
   * @param midway runs when the data have moved and the slot has not.
   */
  async moveSlot(key: string, midway?: () => Promise<unknown>): Promise<void> {
    const slot = slotOf(key)
    const ids = await Promise.all(this.servers.map((server) => server.cli('CLUSTER', 'MYID')))
    const source = await this.#ownerOf(slot)
    const target = (source + 1) % this.servers.length
    await this.servers[target]!.cli('CLUSTER', 'SETSLOT', `${slot}`, 'IMPORTING', ids[source]!)
    await this.servers[source]!.cli('CLUSTER', 'SETSLOT', `${slot}`, 'MIGRATING', ids[target]!)
    await this.servers[source]!.cli('MIGRATE', '127.0.0.1', `${this.servers[target]!.port}`, key, '0', '5000')
    await midway?.()
    // The new owner first: otherwise the old one would send callers to one that sends them back.
    for (const server of [this.servers[target]!, this.servers[source]!, ...this.servers]) {
      await server.cli('CLUSTER', 'SETSLOT', `${slot}`, 'NODE', ids[target]!)
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()))
  }

  async #ownerOf(slot: number): Promise<number> {
    const shares = await Promise.all(this.servers.map((server) => server.cli('CLUSTER', 'NODES')))
    return shares.findIndex((share) => {
      const own = share.split('\n').find((line) => line.includes('myself')) ?? ''
      const ranges = own
        .split(' ')
        .slice(8)
        .filter((range) => !range.startsWith('['))
      return ranges
        .map((range) => range.split('-').map(Number))
        .some(([from, to = from]) => from! <= slot && slot <= to!)
    })
  }

  /** Until each server knows that all slots are served. */
  async #settle(): Promise<void> {
    for (let i = 0; i < 200; i++) {
      const states = await Promise.all(this.servers.map((server) => server.cli('CLUSTER', 'INFO')))
      if (states.every((state) => state.includes('cluster_state:ok'))) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error('The cluster did not come up')
  }

  async #manage(command: string, ...args: readonly string[]): Promise<void> {
    await run('redis-cli', ['--cluster', command, ...args, '--cluster-yes'], { timeout: 30_000 })
  }
}
