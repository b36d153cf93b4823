import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '@query-tags/simulator/random'
import { faults } from './faults.ts'
import { Fleet, type FleetOptions, type Verdict } from './fleet.ts'
import { RedisPair } from './redis-pair.ts'
import type { ServerOptions } from './server-child.ts'
import type { Tally } from './tally.ts'

export interface TrialOptions extends Omit<FleetOptions, 'servers'>, Omit<ServerOptions, 'store'> {
  /** Server processes. */
  readonly servers: number
}

export interface Round extends Verdict {
  /** What was done, in words. */
  readonly fault: string
  readonly tally: Tally
}

/** Writers go on for this long before and after each fault. */
const AROUND_MS = [200, 800] as const

/**
 * A fleet over one Redis that is put to the test, round by round: writes, and one fault in the midst of them. After a round everything is healed
 * and nobody writes: then nothing that was acknowledged may be missing anywhere.
 */
export class Trial {
  readonly fleet: Fleet
  readonly redis: RedisPair
  readonly #random: Random
  readonly #begun: Tally

  private constructor(fleet: Fleet, redis: RedisPair, seed: number) {
    this.fleet = fleet
    this.redis = redis
    this.#random = new Random(seed)
    this.#begun = fleet.tally.copy()
  }

  static async start({ servers, heartbeatMs, withoutGuard, ...options }: TrialOptions): Promise<Trial> {
    const redis = await RedisPair.start(servers)
    try {
      const stores = redis.gates.map(({ port }) => ({ kind: 'redis', url: `redis://127.0.0.1:${port}` }) as const)
      const fleet = await Fleet.start({
        ...options,
        servers: stores.map((store) => ({ store, heartbeatMs, withoutGuard })),
      })
      return new Trial(fleet, redis, options.seed)
    } catch (error) {
      await redis.close()
      throw error
    }
  }

  /** What happened since all clients were live for the first time. */
  get tally(): Tally {
    return this.fleet.tally.since(this.#begun)
  }

  /** What server processes said that ended by themselves, and what clients reported. */
  get errors(): readonly string[] {
    return [...this.fleet.crashes, ...this.fleet.errors.map(String)]
  }

  /** @param name of {@link faults} */
  async round(name: string): Promise<Round> {
    const { fleet, redis } = this
    const random = this.#random
    const before = fleet.tally.copy()
    fleet.begin()
    await sleep(random.between(...AROUND_MS))
    const what = await faults[name]!({ fleet, redis, random })
    await sleep(random.between(...AROUND_MS))
    const verdict = await fleet.settle()
    return { fault: `${name}: ${what}`, tally: fleet.tally.since(before), ...verdict }
  }

  async close(): Promise<void> {
    await this.fleet.close()
    await this.redis.close()
  }
}

export function toLines({ fault, tally, lost, notLive, settledMs, stragglers }: Round): string {
  const stuck = notLive > 0 ? `, ${notLive} clients not live` : ''
  return `${fault}\n   ${tally.toString()}, lost ${lost}${stuck}; settled in ${settledMs} ms${stragglers.map((each) => `\n   late: ${each}`).join('')}`
}
