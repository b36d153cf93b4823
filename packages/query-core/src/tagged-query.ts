import type { PlainTag } from '@query-tags/core'
import type { ReadPosition } from '@query-tags/core/client'
import type { Query } from '@tanstack/query-core'

/**
 * When something was read, twice: on the binding's own logical clock, which orders it against invalidations that were applied here, and as
 * a position, which the server can order it by.
 */
export interface ReadMoment {
  readonly clock: number
  readonly position: ReadPosition
}

/** Before anything that this binding saw: the page's first position. Older data have negative clocks. */
export const UNSEEN: ReadMoment = { clock: 0, position: { first: true, cursor: undefined } }

/** The data that a query holds, and when they were read. */
export interface Datum {
  readonly data: unknown
  readonly updatedAt: number
  readonly read: ReadMoment
}

/** A fetch in flight. */
export interface FetchAttempt {
  read: ReadMoment
  /** It adds a page to pages that were read before. */
  readonly partial: boolean
}

/** One tag of a query, and from when on the server tells everything about it. */
export interface WatchedTag {
  readonly tag: PlainTag
  /** No invalidation after this clock was missed; Infinity while that is not known. */
  coveredSince: number
  /** From which clock on the server was asked what was missed, and did not answer yet; Infinity for none. */
  askedSince: number
}

/** What the binding knows of one query that has tags. */
export interface TaggedQuery {
  readonly query: Query
  /** By canonical form. May hold tags that the query lost: they go when an invalidation of one finds out, or when they are many. */
  readonly tags: Map<string, WatchedTag>
  /** Arrays of tags that were read already. */
  seen: WeakSet<object>
  datum?: Datum | undefined
  attempt?: FetchAttempt | undefined
  /** The one that was in flight when that began, for the rest of the task: it may have been answered already, and lands then. */
  replaced?: FetchAttempt | undefined
  /** Clock of the latest invalidation; -Infinity for none. */
  invalidatedAt: number
  /** Clock of the latest fetch that failed, so that a failing query is not fetched in a loop. */
  failedAt: number
  /** The app wrote the data or cancelled the fetch: it may be in the middle of an optimistic update. */
  appWrote: boolean
}

export function createTaggedQuery(query: Query): TaggedQuery {
  return {
    query,
    tags: new Map(),
    seen: new WeakSet(),
    invalidatedAt: -Infinity,
    failedAt: -Infinity,
    appWrote: false,
  }
}

/** Whether nobody saw the data being fetched. */
export function isUnseen({ clock }: ReadMoment): boolean {
  return clock <= UNSEEN.clock
}

/** Whether the data are older than an invalidation that hit them. */
export function isOutdated(entry: TaggedQuery): boolean {
  return entry.invalidatedAt > (entry.datum?.read.clock ?? 0)
}

/** Whether a fetch has to be started for it: outdated, in use, and no fetch that could mend it is in flight or has failed. */
export function needsFetch(entry: TaggedQuery): boolean {
  const { query, attempt, invalidatedAt, failedAt } = entry
  if (!isOutdated(entry) || failedAt > invalidatedAt) return false
  if (attempt && !attempt.partial && attempt.read.clock > invalidatedAt) return false
  return query.isActive() && !isStatic(query)
}

/** `query.isStatic()` of later versions of TanStack Query; the peer range begins before it. */
function isStatic(query: Query): boolean {
  return query.observers.some(({ options: { staleTime } }) => {
    return (typeof staleTime === 'function' ? staleTime(query) : staleTime) === 'static'
  })
}
