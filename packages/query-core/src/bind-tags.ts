import { toPlainTag, toScopeId, toTagKey, type Cursor, type PlainTag, type TagInput } from '@query-tags/core'
import { runtime, type Attachment, type Binding, type Invalidation, type ReadPosition } from '@query-tags/core/client'
import {
  focusManager,
  notifyManager,
  type Query,
  type QueryCache,
  type QueryCacheNotifyEvent,
  type QueryClient,
} from '@tanstack/query-core'
import { afterTask } from './after-task.ts'
import { AppliedReceipts } from './applied-receipts.ts'
import { ArrivedSnapshots } from './arrived-snapshots.ts'
import { KeptSnapshot } from './kept-snapshot.ts'
import { PendingMutations } from './pending-mutations.ts'
import { ReadHistory } from './read-history.ts'
import { RefetchScheduler } from './refetch-scheduler.ts'
import { RouteTags, type Listen } from './route-tags.ts'
import { SettleGuard } from './settle-guard.ts'
import { isSnapshot, pageCursor } from './snapshot.ts'
import type { BindTagsOptions, InvalidationEvent, TagBinding } from './tag-binding.ts'
import { TagCoverage } from './tag-coverage.ts'
import { TagQueryIndex, type TagListener } from './tag-query-index.ts'
import { UNSEEN, type TaggedQuery } from './tagged-query.ts'

/**
 * Binds a QueryClient to a client of query-tags: queries with `meta.tags` are refetched when the server invalidates a tag that overlaps
 * theirs, and none is ever left fresh with data from before. `staleTime: Infinity` is the setting that fits.
 *
 * @throws {QueryTagsError} `already-bound` while the client is bound elsewhere, `closed` when it was closed.
 *
 * @example
 * ```ts
 * const binding = bindTags({ queryClient, client: createHTTPInvalidatorClient() })
 * ```
 */
export function bindTags(options: BindTagsOptions): TagBinding {
  const binding = new CacheBinding(options)
  try {
    binding.start(options)
  } catch (error) {
    // A listener of the cache threw, and nobody else could let go of the client.
    binding.close()
    throw error
  }
  return binding
}

/**
 * A page without a cursor may hold data that a server with another clock read while the page was on its way, in milliseconds. The page's first
 * position reaches that much farther back than its load, and no more: data may be as old as they say.
 */
const CLOCK_SKEW_MS = 15_000

/** The scope that each cache was last bound for; `''` for whatever the server says. */
const boundFor = new WeakMap<QueryClient, string>()

/** The wiring: client, query cache and mutation cache on one side, index, guard, coverage and scheduler on the other. */
class CacheBinding implements TagBinding, Binding {
  readonly #onInvalidation: ((event: InvalidationEvent) => void) | undefined
  readonly #onError: (error: unknown) => void
  readonly #cache: QueryCache
  readonly #attachment: Attachment
  readonly #history: ReadHistory
  readonly #coverage: TagCoverage
  readonly #index: TagQueryIndex
  readonly #guard: SettleGuard
  readonly #mutations: PendingMutations
  readonly #scheduler: RefetchScheduler
  readonly #arrived: ArrivedSnapshots
  readonly #kept: KeptSnapshot
  readonly #routes: RouteTags | undefined
  readonly #receipts = new AppliedReceipts()
  readonly #listeners = new Set<TagListener>()
  #unsubscribe: readonly (() => void)[] = []
  /** Brings the snapshot in the cache up to date. It then stands for those that came in, too. */
  readonly #raise = afterTask(() => {
    const cursor = this.#attachment.cursorOf(this.#coverage.asked())
    if (!cursor || this.#closed) return
    this.#kept.write(cursor)
    this.#arrived.remove()
  })
  #closed = false

  constructor({
    queryClient,
    client,
    router,
    scope,
    onInvalidation,
    onError = console.error,
    environment = runtime,
  }: BindTagsOptions) {
    this.#onInvalidation = onInvalidation
    this.#onError = onError
    const cache = (this.#cache = queryClient.getQueryCache())
    const cursor = pageCursor(cache)
    this.#attachment = client.attach(this, { scope, pageCursor: cursor })
    this.#history = new ReadHistory(this.#attachment, environment)
    const name = environment.random().toString(36).slice(2)
    const loadedAt = (environment.loadedAt ?? performance.timeOrigin) - (cursor ? 0 : CLOCK_SKEW_MS)
    this.#arrived = new ArrivedSnapshots(cache, this.#attachment, name, loadedAt)
    this.#kept = new KeptSnapshot(queryClient, this.#attachment, name)
    this.#coverage = new TagCoverage(this.#attachment, this.#kept, this.#raise)
    this.#index = new TagQueryIndex(this.#attachment, this.#coverage, this.#kept, onError)
    this.#mutations = new PendingMutations(queryClient.getMutationCache(), this.#history, environment, {
      onSuccess: (tags) => this.#invalidateTags(tags),
      onRelease: () => this.#scheduler.drain(),
    })
    this.#scheduler = new RefetchScheduler(environment, this.#mutations)
    this.#guard = new SettleGuard(this.#history, this.#mutations, this.#arrived, this.#coverage, this.#scheduler)
    // Loaders may have run before anything was bound, so their tags are watched from the page's first position.
    const listen: Listen = (tags, callback) => this.#listen(tags, UNSEEN.position, callback)
    this.#routes = router && new RouteTags(router, listen, this.#onError)
  }

  /** Takes in what is in the cache. To be called once, at once. */
  start({ queryClient, scope }: BindTagsOptions): void {
    const known = this.#cache.getAll()
    for (const query of known) if (isSnapshot(query)) this.#arrived.absorb(query)
    for (const query of known) if (!isSnapshot(query)) this.#read(query)
    this.#unsubscribe = [
      this.#cache.subscribe((event) => this.#onCacheEvent(event)),
      focusManager.subscribe(() => this.#onFocus()),
    ]
    const id = scope ? toScopeId(scope) : ''
    const isOther = (boundFor.get(queryClient) ?? id) !== id
    // guard(other-user): nothing that the user before has read may pass for this one's, not even until the hello, guarantee 8
    if (isOther) this.#invalidate(this.#index.entries())
    boundFor.set(queryClient, id)
  }

  invalidateLocally(tags: readonly TagInput[]): void {
    this.#invalidateTags(tags.map(toPlainTag))
  }

  listen(tags: readonly TagInput[], callback: (tags: readonly PlainTag[] | '*') => void): () => void {
    return this.#listen(tags.map(toPlainTag), this.#attachment.position(), callback)
  }

  close(): void {
    this.#closed = true
    // guard(stored-unbound): from here on nobody notes what gets into the cache, and how old it is, guarantee 8
    this.#kept.written = undefined
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#mutations.close()
    this.#scheduler.close()
    this.#routes?.close()
    this.#attachment.detach()
  }

  onHello(): void {
    for (const { query } of this.#index.entries()) this.#read(query)
    this.#guard.review(this.#index.entries())
    this.#coverage.settle()
  }

  onInvalidate({ scope, at, tags, spreadMs, source }: Invalidation): void {
    const receipt = this.#receipts.find(scope, at)
    const known = tags.filter((tag) => receipt?.tagKeys.has(toTagKey(tag)))
    const fresh = tags.filter((tag) => !known.includes(tag))
    const now = this.#history.tick()
    const { queries, listeners } = this.#index.match(fresh)
    const hit = this.#invalidate(queries, spreadMs, now, { [scope]: at })
    // What a receipt brought before counts as of then: data that were fetched since are newer.
    // guard(receipt-frame): data whose fetch began before the receipt are older than its frame, guarantee 1
    if (receipt) hit.push(...this.#invalidate(this.#index.match(known).queries, spreadMs, receipt.clock))
    this.#tell(listeners, { source, scope, at, tags, queries: hit })
    // Last: of one whose effects were cut short the frame has to do them.
    if (source === 'receipt') this.#receipts.add(scope, at, tags, now)
  }

  onReset({ reason, spreadMs }: { readonly reason: string; readonly spreadMs: number }): void {
    const hit = this.#invalidate(this.#index.entries(), spreadMs)
    this.#tell(this.#listeners, { source: 'reset', tags: '*', queries: hit, reason })
  }

  onMissed(added: readonly PlainTag[], missed: readonly PlainTag[] | 'expired', at?: readonly Cursor[]): void {
    const askers = new Set(this.#coverage.askers(added))
    const tags = missed === 'expired' ? added : missed
    const hit = tags.flatMap((tag, i) => {
      const asked = this.#index.match([tag]).queries.filter((entry) => askers.has(entry))
      return this.#invalidate(asked, 0, undefined, at?.[i])
    })
    const { listeners } = this.#index.match(tags)
    this.#coverage.settle()
    if (tags.length > 0) this.#tell(listeners, { source: 'missed', tags, queries: [...new Set(hit)] })
  }

  isBusy(): boolean {
    return [...this.#index.entries()].some(
      (entry) => entry.query.state.fetchStatus === 'fetching' || this.#scheduler.isDue(entry),
    )
  }

  onActivity(listener: () => void): () => void {
    return this.#cache.subscribe(listener)
  }

  #listen(tags: readonly PlainTag[], from: ReadPosition, callback: TagListener['callback']): () => void {
    const listener: TagListener = { tags, callback }
    this.#listeners.add(listener)
    this.#index.listen(listener)
    for (const tag of tags) this.#attachment.watch(tag, from)
    return () => {
      if (this.#listeners.delete(listener)) this.#index.unlisten(listener)
    }
  }

  #invalidateTags(tags: readonly PlainTag[]): void {
    const { queries, listeners } = this.#index.match(tags)
    const hit = this.#invalidate(queries)
    this.#tell(listeners, { source: 'local', tags, queries: hit })
  }

  #invalidate(entries: Iterable<TaggedQuery>, spreadMs = 0, clock = this.#history.tick(), at?: Cursor): Query[] {
    return notifyManager.batch(() => {
      const hit: Query[] = []
      for (const entry of entries) {
        try {
          if (this.#guard.invalidate(entry, clock, at)) hit.push(entry.query)
        } finally {
          // Also when a listener of the cache throws: the query is marked by then, and what comes again need not hit it.
          this.#scheduler.request(entry, spreadMs)
        }
      }
      return hit
    })
  }

  #onCacheEvent(event: QueryCacheNotifyEvent): void {
    const { query, type } = event
    // Results follow from an update that was seen already.
    if (type === 'observerResultsUpdated') return
    const isGone = this.#isGone(query)
    if (isSnapshot(query)) {
      if (isGone || !this.#arrived.absorb(query)) return
      this.#guard.review(this.#index.entries())
      return this.#raise()
    }
    if (isGone) {
      this.#index.remove(query)
      return this.#kept.include(query)
    }
    const entry = this.#read(query)
    if (!entry) return
    if (type === 'updated') return this.#guard.onUpdate(entry, event.action)
    const isMounting = type === 'observerAdded'
    if (isMounting && this.#attachment.isBehind()) this.#invalidate([entry])
    // Somebody may need it now whom TanStack would show the old data: with refetchOnMount off, or enabled just now.
    this.#scheduler.request(entry, isMounting ? 0 : undefined)
  }

  /** Nobody sees the query any more, and what events it still has are of no account. */
  #isGone(query: Query): boolean {
    // guard(removed-on-screen): a query that was removed is shown until its observers render again, and no other has its data, guarantee 1
    if (query.observers.length > 0) return false
    return this.#cache.get(query.queryHash) !== query
  }

  /** Reads the tags of a query; data that were there before it had any were read before anything that was seen of it. */
  #read(query: Query): TaggedQuery | undefined {
    const known = this.#index.get(query)
    const entry = this.#index.read(query)
    if (!entry) {
      this.#arrived.noteAge(query)
      this.#kept.exclude(query)
    } else if (!known) {
      this.#kept.include(query)
      this.#guard.adopt(entry)
    }
    return entry
  }

  #onFocus(): void {
    if (!focusManager.isFocused() || !this.#attachment.isBehind()) return
    const active = [...this.#index.entries()].filter(({ query }) => query.isActive())
    this.#invalidate(active)
  }

  #tell(listeners: Iterable<TagListener>, event: InvalidationEvent): void {
    for (const { callback } of listeners) this.#callBack(() => callback(event.tags))
    this.#callBack(() => this.#onInvalidation?.(event))
  }

  /** The app's code must not stop a frame from being applied. */
  #callBack(callback: () => void): void {
    try {
      callback()
    } catch (error) {
      this.#onError(error)
    }
  }
}
