import type { Cursor } from '@query-tags/core'
import { isReadAfter } from '@query-tags/core/client'
import type { QueryCacheNotifyEvent } from '@tanstack/query-core'
import { afterTask } from './after-task.ts'
import type { ArrivedSnapshots } from './arrived-snapshots.ts'
import type { PendingMutations } from './pending-mutations.ts'
import { MANUAL_DATA_AGE_MS, type ReadHistory } from './read-history.ts'
import type { RefetchScheduler } from './refetch-scheduler.ts'
import { isRestored, restoredRead } from './restored-reads.ts'
import { isStreamed, watchFetches } from './streamed-fetch.ts'
import type { TagCoverage } from './tag-coverage.ts'
import {
  isOutdated,
  isUnseen,
  type Datum,
  type FetchAttempt,
  type ReadMoment,
  type TaggedQuery,
} from './tagged-query.ts'

export type UpdateAction = Extract<QueryCacheNotifyEvent, { type: 'updated' }>['action']

/**
 * Follows each query's fetches, so that data which were read before an invalidation never end up fresh, whichever way they get into the
 * cache. TanStack clears `isInvalidated` on every success, even of a fetch that began earlier or wrote only one page; here a query stays
 * outdated until data land that were read later.
 */
export class SettleGuard {
  readonly #history: ReadHistory
  readonly #mutations: PendingMutations
  readonly #snapshots: ArrivedSnapshots
  readonly #coverage: TagCoverage
  readonly #scheduler: RefetchScheduler
  /** Queries whose data came in this task, from before anything that was seen. A snapshot may yet come that says how old they are. */
  readonly #arrived = new Set<TaggedQuery>()
  readonly #reviewArrived = afterTask(() => {
    this.review(this.#arrived)
    this.#arrived.clear()
  })

  constructor(
    history: ReadHistory,
    mutations: PendingMutations,
    snapshots: ArrivedSnapshots,
    coverage: TagCoverage,
    scheduler: RefetchScheduler,
  ) {
    this.#history = history
    this.#mutations = mutations
    this.#snapshots = snapshots
    this.#coverage = coverage
    this.#scheduler = scheduler
  }

  /** Data that were there before the binding saw the query. A fetch in flight began unseen, too. */
  adopt(entry: TaggedQuery): void {
    watchFetches(entry.query)
    if (entry.query.state.fetchStatus !== 'idle') entry.attempt = { read: this.#snapshots.unseen, partial: false }
    // guard(adopt): data that were there first may be as old as the page, or as its snapshot, guarantee 8
    if (entry.query.state.data !== undefined) this.#arrive(entry)
  }

  /** More is known by now of what nobody saw being fetched: a snapshot came in, maybe after its data, or the hello, with our scopes. */
  review(entries: Iterable<TaggedQuery>): void {
    for (const entry of entries) {
      const { attempt, datum } = entry
      // guard(promise-before-snapshot): what it brings was read on the server, after the snapshot was taken there, guarantee 8
      if (attempt && isUnseen(attempt.read)) attempt.read = this.#snapshots.unseen
      if (!datum || !isUnseen(datum.read) || isRestored(datum.read)) continue
      this.#landUnseen(entry, this.#snapshots.knowsNothingOf(entry.query))
    }
  }

  onUpdate(entry: TaggedQuery, action: UpdateAction): void {
    switch (action.type) {
      case 'fetch':
        return this.#onFetch(entry, action.meta?.fetchMore !== undefined)
      case 'failed':
        // The query function is called anew after this, so what it reads is newer.
        return this.#beginAgain(entry)
      case 'continue':
        // The same, but for a streamed promise, which waits to be read.
        if (entry.attempt && !isUnseen(entry.attempt.read)) this.#beginAgain(entry)
        return
      case 'success':
        return action.manual ? this.#onWrite(entry) : this.#onSuccess(entry)
      case 'error':
        return this.#onError(entry)
      case 'setState':
        return this.#onSetState(entry)
      default:
    }
  }

  /**
   * An invalidation of this clock hits a query. Returns whether it makes a difference.
   *
   * @param at Where it is, when that is known.
   */
  invalidate(entry: TaggedQuery, clock: number, at?: Cursor): boolean {
    const read = entry.datum?.read
    if (read && (read.clock > clock || (at && isReadAfter(read.position, at)))) return false
    // guard(remember-invalidation): a success clears isInvalidated whenever its fetch began, guarantee 7
    entry.invalidatedAt = Math.max(entry.invalidatedAt, clock)
    entry.query.invalidate()
    return true
  }

  #onFetch(entry: TaggedQuery, isForPage: boolean): void {
    // guard(replaced-fetch): one that was answered in this task lands after the next began, and is no newer for that, guarantee 7
    entry.replaced ??= entry.attempt
    entry.attempt = { read: this.#beginFirst(entry), partial: isForPage && entry.query.state.data !== undefined }
    void Promise.resolve().then(() => {
      entry.replaced = undefined
    })
  }

  /** A fetch has settled. */
  #settle(entry: TaggedQuery): FetchAttempt | undefined {
    const { attempt, replaced } = entry
    entry.replaced = undefined
    if (!replaced) entry.attempt = undefined
    return replaced ?? attempt
  }

  #beginFirst(entry: TaggedQuery): ReadMoment {
    // guard(streamed-promise): what it brings was read on the server, maybe long ago, guarantee 8
    if (isStreamed(entry.query)) return this.#snapshots.unseen
    return this.#begin(entry)
  }

  #beginAgain(entry: TaggedQuery): void {
    // guard(kept-pages): a retry of an infinite query goes on at the page that failed, and keeps those that were read before it, guarantee 7
    if (hasPages(entry) && entry.query.state.fetchFailureCount > 0) return
    if (entry.attempt) entry.attempt.read = this.#begin(entry)
  }

  #begin(entry: TaggedQuery): ReadMoment {
    const read = this.#history.moment()
    this.#coverage.beforeFetch(entry, read.clock)
    return read
  }

  #onSuccess(entry: TaggedQuery): void {
    const attempt = this.#settle(entry)
    // What is fetched and equal becomes the object that was there.
    const isNew = entry.datum?.data !== entry.query.state.data
    // guard(restored-read): what a per-query persister brings as a fetch was read before its page began, guarantee 8
    if (isNew && restoredRead(entry.query.state.data)) return this.#arrive(entry)
    if (attempt && !attempt.partial) {
      entry.appWrote = false
      return this.#land(entry, attempt.read)
    }
    // One page was read now, the others when they were.
    this.#land(entry, older(entry.datum?.read, attempt?.read ?? this.#snapshots.unseen))
  }

  /** `setQueryData`: made from data that may be old, and often from the data that were there. */
  #onWrite(entry: TaggedQuery): void {
    entry.appWrote = true
    const now = Date.now()
    // What is written now has the time of now, also where the clock was set back to before the page.
    const oldest = Math.max(now - MANUAL_DATA_AGE_MS, Math.min(now - 100, this.#snapshots.loadedAt))
    // guard(old-write): the app says that it read them longer ago than what it writes is taken for, guarantee 8
    if (entry.query.state.dataUpdatedAt < oldest) entry.invalidatedAt = this.#history.tick()
    const read = older(this.#mutations.oldest(), this.#history.manualMoment())
    this.#land(entry, older(entry.datum?.read, read))
  }

  #onError(entry: TaggedQuery): void {
    // Older versions (5.75, not 5.100) tell of a cancelled fetch that restored the state from before it as an error.
    if (entry.query.state.status !== 'error') return this.#onSetState(entry)
    entry.failedAt = this.#settle(entry)?.read.clock ?? entry.failedAt
    this.#scheduler.request(entry)
  }

  /** A cancelled fetch restores the state from before it; anything else that sets the state brings data from nobody knows when. */
  #onSetState(entry: TaggedQuery): void {
    const { state } = entry.query
    if (state.fetchStatus === 'idle') entry.attempt = undefined
    if (state.data === undefined) {
      entry.datum = undefined
      return
    }
    const { datum } = entry
    entry.appWrote = true
    if (!datum || datum.data !== state.data) return this.#arrive(entry)
    // guard(stored-query): a per-query persister brings old data as a fetch, and says afterwards how old; without a cursor that is any age, guarantee 8
    if (!isRestored(datum.read) && state.dataUpdatedAt !== datum.updatedAt) entry.invalidatedAt = this.#history.tick()
    this.#land(entry, datum.read)
  }

  /** Data of nobody knows when, unless a snapshot in the same task says so. */
  #arrive(entry: TaggedQuery): void {
    const read = restoredRead(entry.query.state.data)
    if (read) return this.#land(entry, read)
    this.#landUnseen(entry, this.#snapshots.isUntold(entry.query))
    this.#arrived.add(entry)
    this.#reviewArrived()
  }

  #landUnseen(entry: TaggedQuery, isOfAnyAge: boolean): void {
    const isOld = isOfAnyAge || entry.query.state.isInvalidated
    // guard(unknown-age): data of a store without a snapshot may be of any age, guarantee 8
    if (isOld && !isOutdated(entry)) entry.invalidatedAt = this.#history.tick()
    this.#land(entry, this.#snapshots.unseen)
  }

  #land(entry: TaggedQuery, read: ReadMoment): void {
    const { data, dataUpdatedAt } = entry.query.state
    entry.datum = { data, updatedAt: dataUpdatedAt, read } satisfies Datum
    entry.failedAt = -Infinity
    if (!isOutdated(entry)) return this.#coverage.landed(entry, read)
    // TanStack just took old data for fresh. In the cache's own event, or a persister that hears of it next saves them so.
    // guard(mark-again): what was read before an invalidation must not end fresh, guarantee 7
    entry.query.invalidate()
    this.#scheduler.request(entry)
  }
}

/** Whether it is an infinite query, which older versions of TanStack Query (5.32, not 5.108) tell by its behavior only. */
function hasPages({ query }: TaggedQuery): boolean {
  return query.queryType === 'infinite' || query.options.behavior !== undefined
}

function older(a: ReadMoment | undefined, b: ReadMoment): ReadMoment {
  if (!a || a.clock >= b.clock) return b
  const { clock, position } = a
  if (position.first || !b.position.first) return a
  // Another tab may have stored what was restored, after this page began: no clock orders the two, so both count.
  return { clock: clock - 0.5, position: { first: true, cursor: position.cursor } }
}
