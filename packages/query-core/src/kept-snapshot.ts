import type { Cursor } from '@query-tags/core'
import type { Attachment } from '@query-tags/core/client'
import type { Query, QueryClient } from '@tanstack/query-core'
import { keepSnapshot, type Snapshot } from './snapshot.ts'
import type { ReadMoment } from './tagged-query.ts'

/** The snapshot that a binding keeps in its cache, for whoever stores that. */
export class KeptSnapshot {
  readonly #queryClient: QueryClient
  readonly #attachment: Attachment
  readonly #id: string
  readonly #onWrite: () => void
  /** Queries of which it says nothing. */
  readonly #excluded = new Set<Query>()
  /** Their hashes, until they change. */
  #except: readonly string[] | undefined
  #written: { readonly query: Query; readonly snapshot: Snapshot } | undefined
  #isRaising = false
  #closed = false

  /** @param onWrite Told when all other snapshots have become needless. */
  constructor(queryClient: QueryClient, attachment: Attachment, id: string, onWrite: () => void) {
    this.#queryClient = queryClient
    this.#attachment = attachment
    this.#id = id
    this.#onWrite = onWrite
  }

  /** From here on nobody notes what this query's data miss: it has no tags, or has lost one that may come back. */
  exclude(query: Query): void {
    if (this.#excluded.has(query)) return
    this.#excluded.add(query)
    this.#except = undefined
    // guard(untagged-stored): a store that is written now must not say that its data are as new as the others, guarantee 8
    if (this.#written) this.#write(this.#written.snapshot.cursor)
  }

  /** Its data are as old as the cursor says, or it is gone. */
  include(query: Query): void {
    if (this.#excluded.delete(query)) this.#except = undefined
  }

  /** Data are in the cache of which it is not known yet what they missed since they were read. */
  lower({ position }: ReadMoment): void {
    if (!this.#written) return
    const { cursor } = this.#written.snapshot
    // guard(stored-too-new): a store that is written now must not say that these data are newer than they are, guarantee 8
    this.#write(this.#attachment.cursorOf([position, { first: false, cursor }]))
  }

  /** Writes it anew, once for all that happens in this task. */
  raise(asked: () => Iterable<ReadMoment>): void {
    if (this.#isRaising) return
    this.#isRaising = true
    void Promise.resolve().then(() => {
      this.#isRaising = false
      if (!this.#closed) this.#write(this.#attachment.cursorOf(Array.from(asked(), ({ position }) => position)))
    })
  }

  close(): void {
    this.#closed = true
  }

  /** Everything in the cache that is neither marked nor excluded is as good as read at this cursor. */
  #write(cursor: Cursor | undefined): void {
    if (!cursor) return
    const except = (this.#except ??= Array.from(this.#excluded, ({ queryHash }) => queryHash))
    if (!this.#isWritten({ cursor, except })) {
      const snapshot = { cursor, except }
      this.#written = { query: keepSnapshot(this.#queryClient, this.#id, snapshot), snapshot }
    }
    this.#onWrite()
  }

  #isWritten({ cursor, except }: Snapshot): boolean {
    if (!this.#written) return false
    const { query, snapshot } = this.#written
    const cache = this.#queryClient.getQueryCache()
    // Apps remove and reset all that is in a cache. Whoever does the former finds it empty.
    if (cache.get(query.queryHash)?.state.data !== snapshot) return cache.getAll().length === 0
    return snapshot.except === except && JSON.stringify(snapshot.cursor) === JSON.stringify(cursor)
  }
}
