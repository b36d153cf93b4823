import { readCursor, type Cursor } from '@query-tags/core'
import type { QueryClient, QueryKey, QueryState } from '@tanstack/query-core'
import { keptSnapshot } from './kept-snapshot.ts'
import { noteRestored } from './restored-reads.ts'
import { SNAPSHOT_KEY } from './snapshot.ts'

/** One query, as a per-query persister stores it: `PersistedQuery` of `@tanstack/query-persist-client-core`. */
export interface StoredQuery {
  buster: string
  queryHash: string
  queryKey: QueryKey
  state: QueryState
}

export interface PersistedPositions {
  /** `JSON.stringify`, with where the data were read. */
  readonly serialize: (stored: StoredQuery) => string
  /** `JSON.parse`, which notes where they were read. */
  readonly deserialize: (text: string) => StoredQuery
}

/**
 * For `experimental_createQueryPersister`, which stores each query by itself: with these two options each carries where its data were read, so
 * that after a reload only what was invalidated since is fetched. Without them all that it restores is fetched once. Keep what you store of
 * each user apart, with a `prefix`.
 *
 * An item is as it was stored: that it was invalidated in this browser only, by `invalidateLocally` or TanStack's `invalidateQueries`, is not
 * in it unless it was before that. Data that are no object or array (a number, say) are fetched once.
 *
 * @example
 * ```ts
 * const persister = experimental_createQueryPersister({ storage: localStorage, ...persistedPositions(queryClient) })
 * ```
 */
export function persistedPositions(queryClient: QueryClient): PersistedPositions {
  return {
    serialize(stored) {
      return JSON.stringify({ ...stored, [SNAPSHOT_KEY]: cursorOf(queryClient, stored) })
    },
    deserialize(text) {
      const stored = JSON.parse(text) as StoredQuery & { [SNAPSHOT_KEY]?: unknown }
      const { data } = stored.state
      const cursor = readCursor(stored[SNAPSHOT_KEY])
      if (cursor && typeof data === 'object' && data !== null) noteRestored(data, cursor)
      return stored
    },
  }
}

/** The cursor that the data of a query may be stored with; `undefined` when they may be older. */
function cursorOf(queryClient: QueryClient, { queryHash, state }: StoredQuery): Cursor | undefined {
  const snapshot = keptSnapshot(queryClient)
  if (!snapshot) return undefined
  // guard(stored-untagged): nobody notes what data without tags miss, guarantee 8
  if (snapshot.except?.includes(queryHash)) return undefined
  // guard(other-data): nothing is known of data that are not in the cache, or no longer, guarantee 8
  if (queryClient.getQueryCache().get(queryHash)?.state !== state) return undefined
  // guard(stored-marked): what is restored has no mark, guarantee 8
  if (state.isInvalidated) return undefined
  return snapshot.cursor
}
