import { setTimeout as sleep } from 'node:timers/promises'
import type { PlainTag } from '@query-tags/core'
import type { Random } from '@query-tags/simulator/random'
import type { Database, Row } from './database.ts'
import { Deck } from './deck.ts'
import { ALL_ITEMS, itemTag, rawItemTag } from './tags.ts'
import type { Tally } from './tally.ts'

/** Longer than a server takes to say that it could not record. */
const ANSWER_MS = 8000

interface World {
  readonly database: Database
  readonly tally: Tally
}

export interface WritersOptions extends World {
  readonly random: Random
  /** The server to ask next. */
  readonly pickServer: () => string
  /** Milliseconds that a writer waits after each write. */
  readonly pauseMs: number
  readonly count: number
}

/** Change rows and say so, until they are stopped. */
export class Writers {
  readonly #options: WritersOptions
  readonly #deck: Deck
  readonly #loops: Promise<void>[]
  #isStopped = false

  constructor(options: WritersOptions) {
    this.#options = options
    this.#deck = new Deck(options.database, options.random)
    this.#loops = Array.from({ length: options.count }, () => this.#loop())
  }

  /** Resolves when the last one has its answer. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#loops)
  }

  async #loop(): Promise<void> {
    const { random, pickServer, pauseMs } = this.#options
    while (!this.#isStopped) {
      if (random.chance(0.005)) {
        await write(this.#options, pickServer(), this.#deck.wholeScope(), [ALL_ITEMS])
      } else {
        const rows = this.#deck.deal(1 + random.below(3))
        const tags = rows.map(({ item }) => (random.chance(0.5) ? itemTag(item) : rawItemTag(item)))
        await write(this.#options, pickServer(), rows, tags)
      }
      await sleep(pauseMs)
    }
  }
}

/** Changes rows of one scope, and tells a server. Resolves with whether it acknowledged. */
export async function write(
  { database, tally }: World,
  server: string,
  rows: readonly Row[],
  tags: readonly PlainTag[],
): Promise<boolean> {
  const versions = rows.map((row) => database.raise(row))
  const { scope } = rows[0]!
  const isAcknowledged = await invalidate(server, { tags, ...(scope > 0 && { scope: database.scopes[scope] }) })
  tally[isAcknowledged ? 'acknowledged' : 'rejected']++
  if (isAcknowledged) rows.forEach((row, i) => database.acknowledge(row, versions[i]!))
  return isAcknowledged
}

async function invalidate(server: string, message: object): Promise<boolean> {
  try {
    const response = await fetch(`${server}/invalidate`, {
      method: 'POST',
      body: JSON.stringify(message),
      signal: AbortSignal.timeout(ANSWER_MS),
    })
    await response.arrayBuffer()
    if (response.status === 200 || response.status === 503) return response.status === 200
    throw new Error(`an invalidation was answered with ${response.status}`)
  } catch (error) {
    // Killed, paused or not there yet: nobody was promised anything.
    if (error instanceof TypeError || (error as Error).name === 'TimeoutError') return false
    throw error
  }
}
