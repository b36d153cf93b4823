import { readCursor, type Cursor } from '@query-tags/core'
import type { Query, QueryCache, QueryClient, QueryKey } from '@tanstack/query-core'

/** First part of the query key of a snapshot. The second is unique, so that snapshots that meet in one cache do not overwrite each other. */
const SNAPSHOT_KEY = '@query-tags/cursor'
/** Third part of the key of one that a binding keeps: it is about data that were read at any time before, not only after it was taken. */
const KEPT = 'kept'

/** What a snapshot says of the data beside it. */
export interface Snapshot {
  /** How old they are. */
  readonly cursor: Cursor
  /** Hashes of the queries of which it says nothing. */
  readonly except: readonly string[]
}

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

/** Writes the one that the binding of this id keeps. Its data are the object that is given. */
export function keepSnapshot(queryClient: QueryClient, id: string, snapshot: Snapshot): Query {
  return writeSnapshot(queryClient, [id, KEPT], snapshot)
}

export function isSnapshot(query: Query): boolean {
  return query.queryKey[0] === SNAPSHOT_KEY
}

/** Whether the binding of this id keeps it. */
export function isKeptBy(query: Query, id: string): boolean {
  return query.queryKey[1] === id
}

/** Whether some binding keeps, or kept, it. */
export function isKept(query: Query): boolean {
  return query.queryKey[2] === KEPT
}

/** One that can't be read makes everything beside it older than anything. */
export function readSnapshot(query: Query): Snapshot {
  if (!isKept(query)) return { cursor: readCursor(query.state.data) ?? {}, except: [] }
  const { cursor, except } = (query.state.data ?? {}) as Record<keyof Snapshot, unknown>
  return Array.isArray(except) ? { cursor: readCursor(cursor) ?? {}, except } : { cursor: {}, except: [] }
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

/** An app that refetches everything asks neither its server nor its default query function for a snapshot. */
export function keepStill(query: Query): void {
  query.setOptions({ ...query.options, queryFn: () => query.state.data })
}

function writeSnapshot(queryClient: QueryClient, id: readonly string[], data: Cursor | Snapshot): Query {
  const queryKey: QueryKey = [SNAPSHOT_KEY, ...id]
  const query = queryClient.getQueryCache().build(queryClient, { queryKey, gcTime: Infinity, structuralSharing: false })
  keepStill(query)
  query.setData(data)
  return query
}
