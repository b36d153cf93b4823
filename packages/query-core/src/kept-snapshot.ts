import type { Cursor } from '@query-tags/core'
import type { Attachment, ReadPosition } from '@query-tags/core/client'
import type { Query, QueryClient } from '@tanstack/query-core'
import { snapshotKey, writeSnapshot, type Snapshot } from './snapshot.ts'

/** What the last binding of each cache keeps there. */
const kept = new WeakMap<QueryClient, KeptSnapshot>()

/** What is true of the cache now. `undefined` until its binding knows, and so between two users. */
export function keptSnapshot(queryClient: QueryClient): Snapshot | undefined {
  return kept.get(queryClient)?.written
}

/** The snapshot that a binding keeps in its cache, for whoever stores that. */
export class KeptSnapshot {
  readonly #queryClient: QueryClient
  readonly #attachment: Attachment
  readonly #name: string
  /** Queries of which it says nothing. */
  readonly #excluded = new Set<Query>()
  /** Their hashes, until one of them goes. The written snapshot has this very list. */
  #except: string[] | undefined
  /** The latest. `undefined` before the first, and after the binding. */
  written: Snapshot | undefined

  constructor(queryClient: QueryClient, attachment: Attachment, name: string) {
    this.#queryClient = queryClient
    this.#attachment = attachment
    this.#name = name
    kept.set(queryClient, this)
  }

  /** From here on nobody notes what this query's data miss: it has no tags, or has lost one that may come back. */
  exclude(query: Query): void {
    if (this.#excluded.has(query)) return
    this.#excluded.add(query)
    this.#except?.push(query.queryHash)
    // guard(untagged-stored): a store that is written now must not say that its data are as new as the others, guarantee 8
    if (this.written) this.#put(this.written.cursor)
  }

  /** Its data are as old as the cursor says, or it is gone. */
  include(query: Query): void {
    if (this.#excluded.delete(query)) this.#except = undefined
  }

  /** Data are in the cache of which it is not known yet what they missed since they were read there. */
  lower(position: ReadPosition): void {
    const own = this.written && { first: false, cursor: this.written.cursor }
    // guard(stored-too-new): a store that is written now must not say that these data are newer than they are, guarantee 8
    if (own) this.write(this.#attachment.cursorOf([position, own]))
  }

  /** Everything in the cache that is neither marked nor excluded is as good as read at this cursor. */
  write(cursor: Cursor | undefined): void {
    if (cursor && !this.#isWritten(cursor)) this.#put(cursor)
  }

  #put(cursor: Cursor): void {
    this.#except ??= Array.from(this.#excluded, ({ queryHash }) => queryHash)
    this.written = { cursor, except: this.#except }
    writeSnapshot(this.#queryClient, this.#name, this.written)
  }

  #isWritten(cursor: Cursor): boolean {
    const { written } = this
    return (
      // Apps remove and reset all that is in a cache.
      this.#queryClient.getQueryData(snapshotKey(this.#name)) === written &&
      written?.except === this.#except &&
      JSON.stringify(written?.cursor) === JSON.stringify(cursor)
    )
  }
}
