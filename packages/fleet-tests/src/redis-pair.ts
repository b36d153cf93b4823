import { RedisServer } from '../../server/test/support/redis-server.ts'
import { Gate } from './gate.ts'
import { until } from './wait.ts'

/** Every write is on disk before it is acknowledged. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always', '--repl-ping-replica-period', '1']

/** A master, its replica, and a gate to the master for each server process. */
export class RedisPair {
  readonly gates: readonly Gate[]
  #master: RedisServer
  #replica: RedisServer
  /** What the replica follows its master through. */
  readonly #replication: Gate

  private constructor(master: RedisServer, replica: RedisServer, replication: Gate, gates: readonly Gate[]) {
    this.#master = master
    this.#replica = replica
    this.#replication = replication
    this.gates = gates
  }

  static async start(gateCount: number): Promise<RedisPair> {
    const [master, replica] = await Promise.all([startDurable(), startDurable()])
    const replication = await Gate.open(master.port)
    const gates = await Promise.all(
      Array.from({ length: gateCount }, () => Gate.open(master.port, { isBeforeRedis: true })),
    )
    const pair = new RedisPair(master, replica, replication, gates)
    await pair.follow()
    return pair
  }

  get master(): RedisServer {
    return this.#master
  }

  /** After a promotion: the old master, which may still be one. */
  get replica(): RedisServer {
    return this.#replica
  }

  /** The master is gone, and its disk with it; an empty one takes its place. */
  async replaceMaster(): Promise<void> {
    await this.#master.stop()
    this.#master = await startDurable()
    for (const gate of this.gates) gate.target = this.#master.port
    await this.follow()
  }

  /** Makes the replica follow the master. */
  async follow(): Promise<void> {
    this.#replication.moveTo(this.#master.port)
    await this.#replica.cli('replicaof', '127.0.0.1', String(this.#replication.port))
    await until('the replica is in step', async () => {
      const info = await this.#replica.cli('info', 'replication')
      return info.includes('master_link_status:up') && info.includes('master_sync_in_progress:0')
    })
  }

  /** From now on the replica lacks what the master gets. */
  loseTail(): void {
    // Nobody listens there.
    this.#replication.moveTo(1)
  }

  /** The replica is the master from now on. Who talks to the old one still does, until its gate is moved. */
  async promote(): Promise<void> {
    await this.#replica.promote()
    const old = this.#master
    this.#master = this.#replica
    this.#replica = old
  }

  async close(): Promise<void> {
    await Promise.all([...this.gates, this.#replication].map((gate) => gate.close()))
    await Promise.all([this.#master.stop(), this.#replica.stop()])
  }
}

function startDurable(): Promise<RedisServer> {
  return RedisServer.start({ settings: DURABLE })
}
