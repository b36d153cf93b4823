import type { QueryCacheNotifyEvent } from '@tanstack/query-core'
import type { PendingMutations } from './pending-mutations.ts'
import type { ReadHistory } from './read-history.ts'
import { isOutdated, UNSEEN, type Datum, type ReadMoment, type TaggedQuery } from './tagged-query.ts'

export type UpdateAction = Extract<QueryCacheNotifyEvent, { type: 'updated' }>['action']

export interface GuardEvents {
  /** A fetch begins at this clock. */
  beforeFetch(entry: TaggedQuery, clock: number): void
  /** Data landed that are not known to be outdated: everything after `read` has to be known of each tag. */
  onFresh(entry: TaggedQuery, read: ReadMoment): void
  /** The query may need a fetch now. */
  onOutdated(entry: TaggedQuery): void
}

/**
 * Follows each query's fetches, so that data which were read before an invalidation never end up fresh, whichever way they get into the
 * cache. TanStack clears `isInvalidated` on every success, even of a fetch that began earlier or wrote only one page; here a query stays
 * outdated until data land that were read later.
 */
export class SettleGuard {
  readonly #history: ReadHistory
  readonly #mutations: PendingMutations
  readonly #events: GuardEvents

  constructor(history: ReadHistory, mutations: PendingMutations, events: GuardEvents) {
    this.#history = history
    this.#mutations = mutations
    this.#events = events
  }

  /** Data that were there before the binding saw the query. A fetch in flight began unseen, too. */
  adopt(entry: TaggedQuery): void {
    if (entry.query.state.fetchStatus !== 'idle') entry.attempt = { read: UNSEEN, partial: false }
    // guard(adopt): data that were there first may be as old as the page, guarantee 1
    if (entry.query.state.data !== undefined) this.#land(entry, UNSEEN)
  }

  onUpdate(entry: TaggedQuery, action: UpdateAction): void {
    switch (action.type) {
      case 'fetch':
        entry.attempt = { read: this.#begin(entry), partial: isPartial(entry, action.meta) }
        return
      case 'failed':
      case 'continue':
        // The query function is called anew after either, so what it reads is newer than this.
        if (entry.attempt) entry.attempt.read = this.#begin(entry)
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

  /** An invalidation of clock `at` hits a query. Returns whether it makes a difference. */
  invalidate(entry: TaggedQuery, at: number): boolean {
    if (entry.datum && entry.datum.read.clock > at) return false
    // guard(remember-invalidation): a success clears isInvalidated whenever its fetch began, guarantee 7
    entry.invalidatedAt = Math.max(entry.invalidatedAt, at)
    entry.query.invalidate()
    return true
  }

  #begin(entry: TaggedQuery): ReadMoment {
    const read = this.#history.moment()
    this.#events.beforeFetch(entry, read.clock)
    return read
  }

  #onSuccess(entry: TaggedQuery): void {
    const { attempt, datum } = entry
    entry.attempt = undefined
    if (attempt && !attempt.partial) {
      entry.appWrote = false
      return this.#land(entry, attempt.read)
    }
    // One page was read now, the others when they were.
    this.#land(entry, older(datum?.read, attempt?.read) ?? UNSEEN)
  }

  /** `setQueryData`: made from data that may be old, and often from the data that were there. */
  #onWrite(entry: TaggedQuery): void {
    entry.appWrote = true
    const read = this.#history.manualMoment(this.#mutations.oldest())
    this.#land(entry, older(entry.datum?.read, read) ?? read)
  }

  #onError(entry: TaggedQuery): void {
    // Older versions (5.75, not 5.100) tell of a cancelled fetch that restored the state from before it as an error.
    if (entry.query.state.status !== 'error') return this.#onSetState(entry)
    if (entry.attempt) entry.failedAt = entry.attempt.read.clock
    entry.attempt = undefined
    this.#events.onOutdated(entry)
  }

  /** A cancelled fetch restores the state from before it; anything else that sets the state brings data from nobody knows when. */
  #onSetState(entry: TaggedQuery): void {
    const { state } = entry.query
    if (state.fetchStatus === 'idle') entry.attempt = undefined
    if (state.data === undefined) {
      entry.datum = undefined
      return
    }
    const reverted = entry.datum && entry.datum.data === state.data && entry.datum.updatedAt === state.dataUpdatedAt
    entry.appWrote = true
    this.#land(entry, reverted ? entry.datum!.read : UNSEEN)
  }

  #land(entry: TaggedQuery, read: ReadMoment): void {
    const { data, dataUpdatedAt } = entry.query.state
    entry.datum = { data, updatedAt: dataUpdatedAt, read } satisfies Datum
    entry.failedAt = 0
    if (!isOutdated(entry)) return this.#events.onFresh(entry, read)
    // TanStack just took old data for fresh. In the cache's own event, or a persister that hears of it next saves them so.
    // guard(mark-again): what was read before an invalidation must not end fresh, guarantee 7
    entry.query.invalidate()
    this.#events.onOutdated(entry)
  }
}

function isPartial(entry: TaggedQuery, meta: { fetchMore?: unknown } | undefined): boolean {
  return meta?.fetchMore !== undefined && entry.query.state.data !== undefined
}

function older(a: ReadMoment | undefined, b: ReadMoment | undefined): ReadMoment | undefined {
  if (!a || !b) return a ?? b
  return a.clock <= b.clock ? a : b
}
