import { setTimeout as sleep } from 'node:timers/promises'
import { toPlainTag, type PlainTag } from '@query-tags/core'
import type { Random } from '@query-tags/simulator/random'
import type { Database } from './database.ts'
import { Deck } from './deck.ts'
import { tags } from './tags.ts'
import type { Tally } from './tally.ts'

/** Longer than a server takes to say that it could not record. */
const ANSWER_MS = 8000

export interface WritersOptions {
  readonly database: Database
  readonly tally: Tally
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
  readonly #loops: Promise<void>[]
  readonly #deck: Deck
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
    while (!this.#isStopped) {
      await this.#write()
      await sleep(this.#options.pauseMs)
    }
  }

  async #write(): Promise<void> {
    const { database, tally, random } = this.#options
    const isOfAll = random.chance(0.005)
    const rows = isOfAll ? this.#deck.wholeScope() : this.#deck.deal(1 + random.below(3))
    const versions = rows.map((row) => database.raise(row))
    const invalidated = isOfAll ? [toPlainTag(tags.items.byId)] : rows.map(({ item }) => tagOf(item, random))
    if (!(await this.#invalidate(rows[0]!.scope, invalidated))) return void tally.rejected++
    tally.acknowledged++
    rows.forEach((row, i) => {
      database.acknowledge(row, versions[i]!)
    })
  }

  /** Whether it was acknowledged. */
  async #invalidate(scope: number, invalidated: readonly PlainTag[]): Promise<boolean> {
    const { database, pickServer } = this.#options
    const body = { tags: invalidated, ...(scope > 0 && { scope: database.scopes[scope] }) }
    try {
      const response = await fetch(`${pickServer()}/invalidate`, {
        method: 'POST',
        body: JSON.stringify(body),
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
}

/** By contract, or raw, as a server without the contract calls it. */
function tagOf(item: number, random: Random): PlainTag {
  return toPlainTag(random.chance(0.5) ? tags.items.byId(item) : ['item', item])
}
