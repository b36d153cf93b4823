import { CancelledError, focusManager } from '@tanstack/query-core'
import { afterTask } from './after-task.ts'
import type { PendingMutations } from './pending-mutations.ts'
import { needsFetch, type TaggedQuery } from './tagged-query.ts'

/** Refetches that the scheduler runs side by side. A browser has six connections to an origin on HTTP/1.1, and the stream takes one. */
const CONCURRENCY = 4
/** A refetch that takes longer no longer counts against the concurrency, in milliseconds, so that hung requests stop nobody else. */
const SLOT_MS = 10_000

export interface SchedulerEnvironment {
  /** Calls back once, after at least `ms`; the returned function cancels it. */
  after(ms: number, callback: () => void): () => void
  /** Uniform in [0, 1). */
  random(): number
}

/**
 * When the refetch of an outdated query starts: at once, or after the server's spread, once no mutation holds it, when the page is visible
 * and fewer than four others run. Marking never waits, so whatever is deferred here is known to be stale.
 */
export class RefetchScheduler {
  readonly #queue = new Set<TaggedQuery>()
  /** Each with what ends its wait. */
  readonly #spreading = new Map<TaggedQuery, () => void>()
  readonly #environment: SchedulerEnvironment
  readonly #mutations: PendingMutations
  readonly #unsubscribe: () => void
  /** Starts what may start now: after the task, so that a fetch that TanStack starts in it comes first and is not doubled. */
  readonly drain: () => void = afterTask(() => this.#drainNow())
  /** Each with what ends its timer. */
  readonly #running = new Map<Promise<void>, () => void>()
  #wakeUp: (() => void) | undefined
  #closed = false

  constructor(environment: SchedulerEnvironment, mutations: PendingMutations) {
    this.#environment = environment
    this.#mutations = mutations
    this.#unsubscribe = focusManager.subscribe(this.drain)
  }

  /**
   * Sees to it that a query that needs a fetch gets one.
   *
   * @param spreadMs 0 means now, also when a spread was asked for before. Without it one that is on goes on.
   */
  request(entry: TaggedQuery, spreadMs?: number): void {
    if (this.#queue.has(entry) || !needsFetch(entry)) return
    const cancelSpread = this.#spreading.get(entry)
    if (cancelSpread && spreadMs !== 0) return
    cancelSpread?.()
    const enqueue = (): void => {
      this.#spreading.delete(entry)
      this.#queue.add(entry)
      this.drain()
    }
    if (spreadMs) this.#spreading.set(entry, this.#environment.after(this.#environment.random() * spreadMs, enqueue))
    else enqueue()
  }

  /** Whether a query is about to be fetched, in a moment or when another one is over: what is held back for longer does not count. */
  isDue(entry: TaggedQuery): boolean {
    return focusManager.isFocused() && needsFetch(entry) && this.#mutations.holdMs(entry) === 0
  }

  close(): void {
    this.#closed = true
    this.#unsubscribe()
    this.#wakeUp?.()
    for (const cancel of [...this.#spreading.values(), ...this.#running.values()]) cancel()
    this.#queue.clear()
  }

  #drainNow(): void {
    if (this.#closed || !focusManager.isFocused()) return
    let soonest = Infinity
    for (const entry of this.#queue) {
      if (this.#running.size >= CONCURRENCY) return
      const isNeeded = needsFetch(entry)
      const holdMs = isNeeded ? this.#mutations.holdMs(entry) : 0
      if (holdMs > 0) {
        soonest = Math.min(soonest, holdMs)
        continue
      }
      this.#queue.delete(entry)
      if (isNeeded) this.#fetch(entry)
    }
    this.#wakeUp?.()
    if (soonest < Infinity) this.#wakeUp = this.#environment.after(soonest, this.drain)
  }

  #fetch(entry: TaggedQuery): void {
    const { query } = entry
    const inFlight = query.state.fetchStatus !== 'idle'
    const fetched = query.fetch(undefined, { cancelRefetch: false }).then(
      () => this.#unstick(entry),
      (error: unknown) => {
        // Whatever was in flight will not land. Any other error its observers have, and the query stays marked.
        if (error instanceof CancelledError && error.silent) entry.attempt = undefined
        this.#unstick(entry)
      },
    )
    // Joined, or waiting for the network: that takes no place. Whoever settles it asks for the trailing fetch.
    if (inFlight || query.state.fetchStatus === 'paused') return
    const done = (): void => {
      cancelTimer()
      if (this.#running.delete(fetched)) this.drain()
    }
    const cancelTimer = this.#environment.after(SLOT_MS, done)
    this.#running.set(fetched, cancelTimer)
    void fetched.then(done)
  }

  /** After a silent cancel, and in older versions after a reset, a query may say for ever that it is fetching. */
  #unstick(entry: TaggedQuery): void {
    if (this.#closed || entry.query.state.fetchStatus === 'idle' || !needsFetch(entry)) return
    entry.query.fetch(undefined, { cancelRefetch: true }).catch(() => {
      // As above; a second silent cancel leaves it to the next invalidation or mount.
    })
  }
}
