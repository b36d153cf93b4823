import type { Random } from '@query-tags/simulator/random'
import type { Database, Row } from './database.ts'

/**
 * Deals the rows of a database in a random order, and none again before all others were: what a client lost, a later change of the same row
 * must not hide.
 */
export class Deck {
  readonly #random: Random
  readonly #rows: readonly Row[]
  #left: Row[] = []

  constructor(database: Database, random: Random) {
    this.#random = random
    this.#rows = database.scopes.flatMap((_, scope) =>
      Array.from({ length: database.items }, (_row, item) => ({ scope, item })),
    )
  }

  /** Up to this many rows of one scope. */
  deal(count: number): readonly Row[] {
    if (this.#left.length === 0) this.#left = this.#shuffled()
    const { scope } = this.#left.at(-1)!
    const dealt: Row[] = []
    for (let at = this.#left.length - 1; at >= 0 && dealt.length < count; at--) {
      if (this.#left[at]!.scope === scope) dealt.push(...this.#left.splice(at, 1))
    }
    return dealt
  }

  /** Every row of a random scope. They stay in the deck. */
  wholeScope(): readonly Row[] {
    const { scope } = this.#random.pick(this.#rows)
    return this.#rows.filter((row) => row.scope === scope)
  }

  #shuffled(): Row[] {
    const rows = [...this.#rows]
    for (let i = rows.length - 1; i > 0; i--) {
      const j = this.#random.below(i + 1)
      ;[rows[i], rows[j]] = [rows[j]!, rows[i]!]
    }
    return rows
  }
}
