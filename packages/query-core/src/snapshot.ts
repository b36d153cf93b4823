import { olderCursor, readCursor, type Cursor } from '@query-tags/core'
import type { Attachment, ReadPosition } from '@query-tags/core/client'
import type { Query, QueryCache, QueryClient } from '@tanstack/query-core'
import { UNSEEN, type ReadMoment } from './tagged-query.ts'

/** First part of the query key of a snapshot. The second is unique, so that snapshots that meet in one cache do not overwrite each other. */
const SNAPSHOT_KEY = '@query-tags/cursor'
/** Third part of the key of one that a binding keeps: it is about data that were read at any time before, not only after it was taken. */
const KEPT = 'kept'

/** A page may hold data that a server with another clock read while the page was on its way, in milliseconds. */
const CLOCK_SKEW_MS = 30_000

/**
 * Puts a cursor into a cache as an entry of its own, so that `dehydrate` and persisters take it along: it says how old the data beside it
 * are. On a server, take it with `system.cursor()` before anything is read.
 *
 * @param cursor `undefined`, where there is no server, puts nothing in.
 *
 * @example
 * ```ts
 * const queryClient = new QueryClient()
 * carryCursor(queryClient, await system.cursor())
 * await queryClient.prefetchQuery(todosQuery)
 * return dehydrate(queryClient)
 * ```
 */
export function carryCursor(queryClient: QueryClient, cursor: Cursor | undefined): void {
  if (cursor) writeSnapshot(queryClient, [Math.random().toString(36).slice(2)], cursor)
}

export function isSnapshot(query: Query): boolean {
  return query.queryKey[0] === SNAPSHOT_KEY
}

function isKept(query: Query): boolean {
  return query.queryKey[2] === KEPT
}

/**
 * The cursor that the page came with: the only one in the cache, and written before anything else there was read. `undefined` where that can't
 * be said, as with a store, whose data are of several times.
 */
export function pageCursor(cache: QueryCache): Cursor | undefined {
  const filled = cache.getAll().filter(({ state }) => state.data !== undefined)
  const snapshots = filled.filter(isSnapshot)
  const [snapshot] = snapshots
  if (!snapshot || snapshots.length > 1) return undefined
  // guard(kept-cursor): fetches may be in flight that began before it was written, guarantee 8
  if (isKept(snapshot)) return undefined
  // guard(page-cursor): what was read before the cursor was taken may have missed more than what came after it, guarantee 8
  if (filled.some(({ state }) => state.dataUpdatedAt < snapshot.state.dataUpdatedAt)) return undefined
  return readCursor(snapshot.state.data)
}

function writeSnapshot(queryClient: QueryClient, id: readonly string[], cursor: Cursor): void {
  const options = { queryKey: [SNAPSHOT_KEY, ...id], gcTime: Infinity }
  queryClient.getQueryCache().build<Cursor>(queryClient, options).setData(cursor)
}

/**
 * The snapshots that came into a cache, with the page or out of a store, and the one that this binding keeps in it for the next store. Data
 * that nobody saw being fetched are as old as the oldest of them, or as the page.
 */
export class Snapshots {
  readonly #queryClient: QueryClient
  readonly #attachment: Attachment
  readonly #id: string
  readonly #absorbed = new Set<Query>()
  #unseen = UNSEEN
  /** The page, and what it came with, was read since then. */
  #readSince: number
  #written: Cursor | undefined
  #isRaising = false
  #closed = false

  constructor(queryClient: QueryClient, attachment: Attachment, id: string, loadedAt: number) {
    this.#queryClient = queryClient
    this.#attachment = attachment
    this.#id = id
    this.#readSince = loadedAt
  }

  /** The read moment of data whose fetch was not seen. */
  get unseen(): ReadMoment {
    return this.#unseen
  }

  /**
   * Whether data of which nobody saw the fetch may be of any age: from before the page and before any snapshot, such as those of a store that
   * left its snapshot out; or of a user whose scopes are not ours.
   *
   * @param updatedAt in milliseconds of the wall clock, as TanStack keeps it.
   */
  knowsNothingOf(updatedAt: number): boolean {
    if (updatedAt < this.#readSince - CLOCK_SKEW_MS) return true
    const current = this.#attachment.position().cursor
    return current !== undefined && Object.keys(this.#unseen.position.cursor ?? {}).some((scope) => !(scope in current))
  }

  /** Takes in a snapshot of somebody else. Returns false for its own. */
  absorb(query: Query): boolean {
    if (query.queryKey[1] === this.#id || query.state.data === undefined || this.#absorbed.has(query)) return false
    this.#absorbed.add(query)
    this.#readSince = Math.min(this.#readSince, isKept(query) ? -Infinity : query.state.dataUpdatedAt)
    const { clock, position } = this.#unseen
    const cursor = readCursor(query.state.data) ?? {}
    const current = this.#attachment.position().cursor ?? {}
    const oldest = position.cursor ? olderCursor(position.cursor, cursor, current) : cursor
    // An earlier clock, so that what was asked for data that are less old does not count for these.
    this.#unseen = { clock: clock - 1, position: { first: true, cursor: oldest } }
    return true
  }

  /** Data are in the cache of which it is not known yet what they missed since they were read. */
  lower({ position }: ReadMoment): void {
    // guard(stored-too-new): a store that is written now must not say that these data are newer than they are, guarantee 8
    if (this.#written) this.#write([position, { first: false, cursor: this.#written }])
  }

  /** Writes the cache's own snapshot anew, once for all that happens in this task. */
  raise(asked: () => Iterable<ReadMoment>): void {
    if (this.#isRaising) return
    this.#isRaising = true
    void Promise.resolve().then(() => {
      this.#isRaising = false
      if (!this.#closed) this.#write(Array.from(asked(), ({ position }) => position))
    })
  }

  close(): void {
    this.#closed = true
  }

  /** Everything in the cache that is not marked is as good as read at this cursor. */
  #write(positions: readonly ReadPosition[]): void {
    const cursor = this.#attachment.cursorOf(positions)
    if (!cursor || JSON.stringify(cursor) === JSON.stringify(this.#written)) return
    this.#written = cursor
    writeSnapshot(this.#queryClient, [this.#id, KEPT], cursor)
    for (const query of this.#absorbed) this.#queryClient.getQueryCache().remove(query)
    this.#absorbed.clear()
  }
}
