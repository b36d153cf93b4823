import { olderCursor } from '@query-tags/core'
import type { Attachment } from '@query-tags/core/client'
import type { Query, QueryCache } from '@tanstack/query-core'
import { isKept, isKeptBy, keepStill, readSnapshot } from './snapshot.ts'
import { UNSEEN, type ReadMoment } from './tagged-query.ts'

/** A page may hold data that a server with another clock read while the page was on its way, in milliseconds. */
const CLOCK_SKEW_MS = 30_000

interface Page {
  /** Of the binding, whose own snapshot is none that arrives. */
  readonly id: string
  /** In milliseconds of the wall clock. */
  readonly loadedAt: number
  /** Whether it came with a cursor, from where on everything is known that was invalidated. */
  readonly hasCursor: boolean
}

/**
 * The snapshots that came into a cache, with the page or out of a store. Data that nobody saw being fetched are as old as the oldest of
 * them, or as the page.
 */
export class ArrivedSnapshots {
  readonly #cache: QueryCache
  readonly #attachment: Attachment
  readonly #id: string
  readonly #inCache = new Set<Query>()
  /** Hashes of queries of which one of them says nothing. */
  readonly #untold = new Set<string>()
  #unseen = UNSEEN
  /** The page began to load then. */
  readonly #loadedAt: number
  /** The page, and what it came with, was read since then. */
  #readSince: number

  constructor(cache: QueryCache, attachment: Attachment, { id, loadedAt, hasCursor }: Page) {
    this.#cache = cache
    this.#attachment = attachment
    this.#id = id
    this.#loadedAt = hasCursor ? loadedAt : loadedAt - CLOCK_SKEW_MS
    this.#readSince = this.#loadedAt
  }

  /** The read moment of data whose fetch was not seen. */
  get unseen(): ReadMoment {
    return this.#unseen
  }

  /**
   * Whether data of which nobody saw the fetch may be of any age: from before the page and before any snapshot, such as those of a store that
   * left its snapshot out; or of a user whose scopes are not ours.
   */
  knowsNothingOf(query: Query): boolean {
    if (this.isUntold(query) || query.state.dataUpdatedAt < this.#readSince) return true
    const current = this.#attachment.position().cursor
    return current !== undefined && Object.keys(this.#unseen.position.cursor ?? {}).some((scope) => !(scope in current))
  }

  /** Whether a snapshot arrived that says nothing of this query: what is beside it may be of any age. */
  isUntold({ queryHash }: Query): boolean {
    return this.#untold.has(queryHash)
  }

  /** Whether data that the app says were updated then are from before the page. */
  isFromBefore(updatedAt: number): boolean {
    return updatedAt < this.#loadedAt
  }

  /** Takes in a snapshot of somebody else. Returns false for its own, and for one that it has. */
  absorb(query: Query): boolean {
    if (isKeptBy(query, this.#id) || query.state.data === undefined || this.#inCache.has(query)) return false
    this.#inCache.add(query)
    keepStill(query)
    this.#readSince = Math.min(this.#readSince, isKept(query) ? -Infinity : query.state.dataUpdatedAt)
    const { clock, position } = this.#unseen
    const { cursor, except } = readSnapshot(query)
    const current = this.#attachment.position().cursor ?? {}
    const oldest = position.cursor ? olderCursor(position.cursor, cursor, current) : cursor
    // An earlier clock, so that what was asked for data that are less old does not count for these.
    this.#unseen = { clock: clock - 1, position: { first: true, cursor: oldest } }
    // guard(untold): these data had no tags when they were stored, and nobody noted what they missed until then, guarantee 8
    for (const hash of except) this.#untold.add(hash)
    return true
  }

  /** Takes them out of the cache. What they said stays known here. */
  remove(): void {
    for (const query of this.#inCache) this.#cache.remove(query)
    this.#inCache.clear()
  }
}
