import { readCursor, type Cursor } from '@query-tags/core'
import type { Query, QueryCache, QueryClient, QueryKey } from '@tanstack/query-core'

/** First part of the query key of a snapshot. The second is unique, so that snapshots that meet in one cache do not overwrite each other. */
export const SNAPSHOT_KEY = '@query-tags/cursor'

/** What is said of the data that lie in the same cache. */
export interface Snapshot {
  /** How old they are. */
  readonly cursor: Cursor
  /**
   * A binding keeps this one. It is about data that were read at any time before, not only after it was taken, but for those of the queries with
   * these hashes.
   */
  readonly except?: readonly string[] | undefined
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
  if (cursor) writeSnapshot(queryClient, Math.random().toString(36).slice(2), { cursor })
}

export function isSnapshot(query: Query): boolean {
  return query.queryKey[0] === SNAPSHOT_KEY
}

/** One that can't be read makes everything beside it older than anything. */
export function readSnapshot({ state }: Query): Snapshot {
  const { cursor, except } = (state.data ?? {}) as Record<keyof Snapshot, unknown>
  return { cursor: readCursor(cursor) ?? {}, except: Array.isArray(except) ? except : undefined }
}

/**
 * The cursor that the page came with: the first thing that came into the cache, from before anything else there was read. `undefined` where
 * that can't be said, as with a store, whose data are of several times.
 */
export function pageCursor(cache: QueryCache): Cursor | undefined {
  const [snapshot, ...others] = cache.getAll().filter(({ state }) => state.data !== undefined)
  // guard(page-cursor): what was in the cache before the cursor may be older; clocks of two machines don't tell, guarantee 8
  if (!snapshot || !isSnapshot(snapshot)) return undefined
  const { cursor, except } = readSnapshot(snapshot)
  // guard(kept-cursor): fetches may be in flight that began before it was written, guarantee 8
  if (except) return undefined
  // guard(older-than-cursor): what came later may have been read before, as its own time says, guarantee 8
  if (others.some(({ state }) => state.dataUpdatedAt < snapshot.state.dataUpdatedAt)) return undefined
  return cursor
}

/** Writes the snapshot of this name. Its data are the very object that is given. */
export function writeSnapshot(queryClient: QueryClient, name: string, snapshot: Snapshot): void {
  const options = { queryKey: snapshotKey(name), gcTime: Infinity }
  const query = queryClient.getQueryCache().build(queryClient, options)
  keepStill(query)
  query.setData(snapshot)
}

export function snapshotKey(name: string): QueryKey {
  return [SNAPSHOT_KEY, name]
}

/** An app that refetches everything asks neither its server nor its default query function for a snapshot. */
export function keepStill(query: Query): void {
  // For one that was hydrated, too: new data that are shared with the old would not be the object that was written.
  query.setOptions({ ...query.options, structuralSharing: false, queryFn: () => query.state.data })
}
