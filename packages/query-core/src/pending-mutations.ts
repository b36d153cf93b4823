import { tagsOverlap, type PlainTag } from '@query-tags/core'
import type { Mutation, MutationCache } from '@tanstack/query-core'
import type { ReadHistory } from './read-history.ts'
import { UNSEEN, type ReadMoment, type TaggedQuery } from './tagged-query.ts'
import { declaredTags } from './with-invalidates.ts'

/** No mutation holds a refetch back for longer, in milliseconds. */
const MAX_HOLD_MS = 30_000

interface Pending {
  readonly tags: readonly PlainTag[]
  readonly began: ReadMoment
  readonly since: number
}

export interface MutationEvents {
  /** A mutation with declared tags succeeded. */
  onSuccess(tags: readonly PlainTag[]): void
  /** One mutation fewer holds refetches back. */
  onRelease(): void
}

/** The mutations that run, what they hold back, and when the oldest began. */
export class PendingMutations {
  readonly #pending = new Map<Mutation, Pending>()
  readonly close: () => void
  readonly #time: { now(): number }

  /** @param time Monotonic milliseconds. */
  constructor(cache: MutationCache, history: ReadHistory, time: { now(): number }, events: MutationEvents) {
    this.#time = time
    for (const mutation of cache.getAll()) {
      // guard(unseen-mutation): what it writes may have been read before anything that was seen here, guarantee 8
      if (mutation.state.status === 'pending') this.#begin(mutation, UNSEEN)
    }
    this.close = cache.subscribe(({ type, mutation }) => {
      if (type !== 'updated' && type !== 'removed') return
      const { status, isPaused } = mutation.state
      if (status === 'pending' && type !== 'removed') {
        if (!this.#pending.has(mutation)) this.#begin(mutation, history.moment())
        else if (isPaused) events.onRelease()
      } else if (this.#pending.delete(mutation)) {
        const tags = declaredTags(mutation)
        if (status === 'success' && tags.length > 0) events.onSuccess(tags)
        events.onRelease()
      }
    })
  }

  oldest(): ReadMoment | undefined {
    // Insertion order is the order in which they began.
    return this.#pending.values().next().value?.began
  }

  /** How many milliseconds a query's refetch has to wait for mutations at most; 0 when none holds it. */
  holdMs(entry: TaggedQuery): number {
    const now = this.#time.now()
    let holdMs = 0
    for (const [mutation, { tags, since }] of this.#pending) {
      const left = since + MAX_HOLD_MS - now
      if (left > holdMs && !mutation.state.isPaused && (entry.appWrote || overlaps(entry, tags))) holdMs = left
    }
    return holdMs
  }

  #begin(mutation: Mutation, began: ReadMoment): void {
    this.#pending.set(mutation, { tags: declaredTags(mutation), began, since: this.#time.now() })
  }
}

function overlaps(entry: TaggedQuery, tags: readonly PlainTag[]): boolean {
  return tags.some((tag) => [...entry.tags.values()].some((watched) => tagsOverlap(watched.tag, tag)))
}
