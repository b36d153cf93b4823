import type { PlainTag, Scope, TagInput } from '@query-tags/core'
import type { InvalidatorClient } from '@query-tags/core/client'
import type { Query, QueryClient } from '@tanstack/query-core'
import type { SchedulerEnvironment } from './refetch-scheduler.ts'
import type { InvalidationRouter } from './route-tags.ts'

declare global {
  interface QueryTagsFrameworkTypes {
    readonly queryClient: QueryClient
  }
}

/** Something that was invalidated, after it was applied to the cache. */
export interface InvalidationEvent {
  /**
   * Where it came from: the server's stream, a receipt of this browser's own change, the answer about tags that were watched late, a reset
   * (every tag), or `invalidateLocally` and mutations declared with `withInvalidates`.
   */
  readonly source: 'stream' | 'receipt' | 'missed' | 'reset' | 'local'
  readonly tags: readonly PlainTag[] | '*'
  /** The queries that it made outdated. */
  readonly queries: readonly Query[]
  /** Scope identity, when the source is the stream or a receipt. */
  readonly scope?: string
  /** Position of the invalidation, when the source is the stream or a receipt. */
  readonly at?: string
  /** Why, when the source is a reset. */
  readonly reason?: string
}

export interface BindTagsOptions {
  readonly queryClient: QueryClient
  /** From `createHTTPInvalidatorClient` or `createInvalidatorClient`. It can be bound to one cache at a time. */
  readonly client: InvalidatorClient
  /** TanStack Router's router. Loaders of routes that declare `staticData: { tags }` run again, too. */
  readonly router?: InvalidationRouter | undefined
  /**
   * A wish for one scope, which the server has to confirm. Without it the client gets every scope that the server resolves for it. When a
   * cache is bound for another scope than before, everything tagged in it counts as outdated at once.
   */
  readonly scope?: Scope | undefined
  /** Called after each invalidation that was applied; for logs and devtools. */
  readonly onInvalidation?: ((event: InvalidationEvent) => void) | undefined
  /**
   * Told of tags in `meta.tags` that are no tags, and of callbacks that throw.
   * @default console.error
   */
  readonly onError?: ((error: unknown) => void) | undefined
  /** Time and chance, for tests and simulation. */
  readonly environment?: BindingEnvironment | undefined
}

export interface BindingEnvironment extends SchedulerEnvironment {
  /** Monotonic milliseconds. */
  now(): number
  /**
   * When the page began to load, in milliseconds of the wall clock.
   * @default performance.timeOrigin
   */
  readonly loadedAt?: number
}

export interface TagBinding {
  /**
   * Takes these tags as invalidated, in this browser only.
   * @throws {QueryTagsError} `invalid-tag`
   */
  invalidateLocally(tags: readonly TagInput[]): void
  /**
   * Calls back for each invalidation that overlaps these tags, with its tags, and with `'*'` for each reset. Returns the function that ends it.
   * @throws {QueryTagsError} `invalid-tag`
   */
  listen(tags: readonly TagInput[], callback: (tags: readonly PlainTag[] | '*') => void): () => void
  /** Ends the binding. The queries stay as they are; outdated ones stay marked. */
  close(): void
}
