import { olderCursor } from '@query-tags/core'
import type { Attachment } from '@query-tags/core/client'
import type { Query, QueryCache } from '@tanstack/query-core'
import { keepStill, readSnapshot } from './snapshot.ts'
import { UNSEEN, type ReadMoment } from './tagged-query.ts'

/**
 * The snapshots that came into a cache, with the page or out of a store. Data that nobody saw being fetched are as old as the oldest of
 * them, or as the page.
 */
export class ArrivedSnapshots {
  readonly #cache: QueryCache
  readonly #attachment: Attachment
  readonly #ownName: string
  /** The page began to load then, in milliseconds of the wall clock. Data that were updated before come from elsewhere. */
  readonly loadedAt: number
  /** The page, and what it came with, was read since then. */
  #readSince: number
  readonly #inCache = new Set<Query>()
  /** Hashes of queries of whose data it is known that nothing says how old they are. */
  readonly #untold = new Set<string>()
  #unseen = UNSEEN

  /**
   * @param ownName of the snapshot that the binding keeps, which is none of these.
   */
  constructor(cache: QueryCache, attachment: Attachment, ownName: string, loadedAt: number) {
    this.#cache = cache
    this.#attachment = attachment
    this.#ownName = ownName
    this.loadedAt = this.#readSince = loadedAt
  }

  /** The read moment of data whose fetch was not seen. */
  get unseen(): ReadMoment {
    return this.#unseen
  }

  /**
   * Whether data of which nobody saw the fetch may be of any age: from before the page and before any snapshot, such as those of a store that
   * left its snapshot out.
   */
  knowsNothingOf(query: Query): boolean {
    return this.isUntold(query) || query.state.dataUpdatedAt < this.#readSince
  }

  /** Data without tags came. The app may write them anew before they have any, and their age can't be told then. */
  noteAge({ queryHash, state }: Query): void {
    // guard(rewritten): what is made from data of any age may be as old, guarantee 8
    if (state.data !== undefined && state.dataUpdatedAt < this.#readSince) this.#untold.add(queryHash)
  }

  /** Whether a snapshot arrived that says nothing of this query: what is beside it may be of any age. */
  isUntold({ queryHash }: Query): boolean {
    return this.#untold.has(queryHash)
  }

  /** Takes in a snapshot. Returns false for the binding's own, and for one that it has. */
  absorb(query: Query): boolean {
    if (query.queryKey[1] === this.#ownName || query.state.data === undefined || this.#inCache.has(query)) return false
    this.#inCache.add(query)
    keepStill(query)
    const { cursor, except } = readSnapshot(query)
    this.#readSince = Math.min(this.#readSince, except ? -Infinity : query.state.dataUpdatedAt)
    const { clock, position } = this.#unseen
    const current = this.#attachment.position().cursor ?? {}
    const oldest = position.cursor ? olderCursor(position.cursor, cursor, current) : cursor
    // An earlier clock, so that what was asked for data that are less old does not count for these.
    this.#unseen = { clock: clock - 1, position: { first: true, cursor: oldest } }
    // guard(untold): these data had no tags when they were stored, and nobody noted what they missed until then, guarantee 8
    for (const hash of except ?? []) this.#untold.add(hash)
    return true
  }

  /** Takes them out of the cache. What they said stays known here. */
  remove(): void {
    for (const query of this.#inCache) this.#cache.remove(query)
    this.#inCache.clear()
  }
}
