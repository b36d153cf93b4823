import { readCursor, type Cursor } from '@query-tags/core'
import { runtime } from '@query-tags/core/client'
import type { QueryClient, QueryKey, QueryState } from '@tanstack/query-core'
import { keptSnapshot } from './kept-snapshot.ts'
import { noteRestored } from './restored-reads.ts'
import { SNAPSHOT_KEY } from './snapshot.ts'
import type { BindingEnvironment } from './tag-binding.ts'

/** How long what is fetched before the first hello waits for it, in milliseconds. Then it is stored without a word of where it was read. */
const MAX_WAIT_MS = 10_000

/** One query, as a per-query persister stores it: `PersistedQuery` of `@tanstack/query-persist-client-core`. */
export interface StoredQuery {
  buster: string
  queryHash: string
  queryKey: QueryKey
  state: QueryState
}

export interface PersistedPositions {
  /** `JSON.stringify`, with where the data were read. Before the first hello that is not known: then it waits, for 10 seconds at most. */
  readonly serialize: (stored: StoredQuery) => string | Promise<string>
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
 * @param environment Time, for tests and simulation.
 *
 * @example
 * ```ts
 * const persister = experimental_createQueryPersister({ storage: localStorage, ...persistedPositions(queryClient) })
 * ```
 */
export function persistedPositions(
  queryClient: QueryClient,
  environment: Pick<BindingEnvironment, 'after'> = runtime,
): PersistedPositions {
  const write = (stored: StoredQuery): string =>
    JSON.stringify({ ...stored, [SNAPSHOT_KEY]: cursorOf(queryClient, stored) })
  /** All that waits does so together. */
  let known: Promise<void> | undefined
  return {
    serialize(stored) {
      if (keptSnapshot(queryClient)) return write(stored)
      known ??= whenKnown(queryClient, environment).finally(() => {
        known = undefined
      })
      return known.then(() => write(stored))
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

/** Resolves once the binding of a cache knows where it is, or it has taken too long. */
function whenKnown(queryClient: QueryClient, environment: Pick<BindingEnvironment, 'after'>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel()
      unsubscribe()
      resolve()
    }
    const cancel = environment.after(MAX_WAIT_MS, done)
    const unsubscribe = queryClient.getQueryCache().subscribe(() => {
      if (keptSnapshot(queryClient)) done()
    })
  })
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
