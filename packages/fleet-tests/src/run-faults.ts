import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '@query-tags/simulator/random'
import { faults } from './faults.ts'
import { Fleet, type Verdict } from './fleet.ts'
import { RedisPair } from './redis-pair.ts'
import type { Tally } from './tally.ts'

export interface RunOptions {
  readonly seed: number
  readonly clients: number
  readonly servers: number
  readonly heartbeatMs: number
  /** Names of {@link faults}, one for each round; without it a random schedule, which begins with each of them once. */
  readonly schedule: Iterable<string>
  /** No round begins after this many milliseconds. */
  readonly maxMs: number
  /** Servers run without this guard. */
  readonly withoutGuard?: string | undefined
  readonly patienceMs?: number
  readonly print: (line: string) => void
}

interface Round extends Verdict {
  readonly fault: string
  readonly tally: Tally
}

export interface RunReport {
  readonly rounds: readonly Round[]
  readonly tally: Tally
  readonly lost: number
  readonly notLive: number
  /** What server processes said that ended by themselves, and what clients reported. */
  readonly errors: readonly string[]
}

/** Writers go on for this long before and after each fault. */
const AROUND_MS = [200, 800] as const

/** Each fault once, then any, without end. */
export function* randomSchedule(seed: number): Generator<string> {
  const random = new Random(seed)
  yield* Object.keys(faults)
  for (;;) yield random.pick(Object.keys(faults))
}

/**
 * Rounds of writes, one fault in the midst of each. After a round everything is healed and nobody writes: then nothing that was acknowledged may
 * be missing anywhere. Prints a line for each.
 */
export async function runFaults(options: RunOptions): Promise<RunReport> {
  const { seed, print } = options
  const random = new Random(seed)
  const redis = await RedisPair.start(options.servers)
  const servers = redis.gates.map(({ port }) => ({
    store: { kind: 'redis', url: `redis://127.0.0.1:${port}` } as const,
    heartbeatMs: options.heartbeatMs,
    withoutGuard: options.withoutGuard,
  }))
  const fleet = await Fleet.start({ seed, clients: options.clients, servers }).catch(async (error: unknown) => {
    await redis.close()
    throw error
  })
  const rounds: Round[] = []
  const endsAt = performance.now() + options.maxMs
  try {
    const begun = fleet.tally.copy()
    for (const name of options.schedule) {
      if (performance.now() > endsAt) break
      const before = fleet.tally.copy()
      fleet.begin()
      await sleep(random.between(...AROUND_MS))
      const what = await faults[name]!({ fleet, redis, random })
      await sleep(random.between(...AROUND_MS))
      const verdict = await fleet.settle(options.patienceMs)
      const round = { fault: `${name}: ${what}`, tally: fleet.tally.since(before), ...verdict }
      rounds.push(round)
      print(`${rounds.length}. ${toLine(round)}`)
      if (verdict.lost > 0 || fleet.crashes.length > 0) break
    }
    const errors = [...fleet.crashes, ...fleet.errors.map(String)]
    const total = { tally: fleet.tally.since(begun), errors, rounds }
    const [lost, notLive] = [sum(rounds.map((round) => round.lost)), sum(rounds.map((round) => round.notLive))]
    print(`${rounds.length} rounds: ${total.tally.toString()}, lost ${lost}`)
    for (const error of errors) print(`error: ${error}`)
    return { ...total, lost, notLive }
  } finally {
    await fleet.close()
    await redis.close()
  }
}

function toLine({ fault, tally, lost, notLive, settledMs }: Round): string {
  const stuck = notLive > 0 ? `, ${notLive} clients not live` : ''
  return `${fault}\n   ${tally.toString()}, lost ${lost}${stuck}; settled in ${settledMs} ms`
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
