import { isQueryTagsError, QueryTagsError, type PlainTag, type Position } from '@query-tags/core'
import type { Clock } from '../clock.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Missed, Recorded, TagRegistry } from './tag-registry.ts'

export interface RegistryBounds {
  readonly maxPendingRecords: number
  readonly recordTimeoutMs: number
  readonly maxPendingReads: number
  readonly readTimeoutMs: number
}

/** A registry of which every call settles in bounded time, and of which only so many are under way, whatever the one inside does. */
export class BoundedRegistry implements TagRegistry {
  readonly #inner: TagRegistry
  readonly #clock: Clock
  readonly #metrics: Metrics
  readonly #bounds: RegistryBounds
  #pendingRecords = 0
  #pendingReads = 0
  #isFailing = false
  #onRecorded: (() => void) | undefined

  constructor(inner: TagRegistry, clock: Clock, metrics: Metrics, bounds: RegistryBounds) {
    this.#inner = inner
    this.#clock = clock
    this.#metrics = metrics
    this.#bounds = bounds
  }

  get pendingRecords(): number {
    return this.#pendingRecords
  }

  get pendingReads(): number {
    return this.#pendingReads
  }

  /** Whether the latest call that it answered, or did not in time, failed. */
  get isFailing(): boolean {
    return this.#isFailing
  }

  get floorRaisedCount(): number | undefined {
    return this.#inner.floorRaisedCount
  }

  /** @throws {QueryTagsError} `registry-unavailable`. After a timeout the invalidation may still be recorded; recording it again is safe. */
  async record(scope: string, tags: readonly PlainTag[]): Promise<Position> {
    try {
      const at = await this.#record(scope, tags)
      this.#metrics.records.add('recorded')
      return at
    } catch (error) {
      this.#metrics.records.add('failed')
      throw error
    }
  }

  since(scope: string, after: Position | { readonly ageMs: number }): Promise<Missed | 'expired'> {
    return this.#read('read', () => this.#inner.since(scope, after))
  }

  head(scope: string): Promise<Position> {
    return this.#read('read', () => this.#inner.head(scope))
  }

  subscribe(scope: string, listener: (recorded: Recorded) => void): Promise<() => void> {
    let abandoned = false
    const subscribing = async (): Promise<() => void> => {
      const unsubscribe = await this.#inner.subscribe(scope, listener)
      // Acknowledged after all, when nobody waits for it any more.
      if (abandoned) unsubscribe()
      return unsubscribe
    }
    return this.#read('subscribe', subscribing, () => {
      abandoned = true
    })
  }

  /** Resolves when no invalidation is on its way to the registry, or after this time. */
  async recorded(maxMs: number): Promise<void> {
    if (this.#pendingRecords === 0) return
    let cancel: (() => void) | undefined
    await new Promise<void>((resolve) => {
      cancel = this.#clock.after(maxMs, resolve)
      this.#onRecorded = resolve
    })
    cancel?.()
  }

  close(): Promise<void> {
    return this.#within(this.#bounds.recordTimeoutMs, 'close', () => this.#inner.close())
  }

  async #record(scope: string, tags: readonly PlainTag[]): Promise<Position> {
    const { maxPendingRecords, recordTimeoutMs } = this.#bounds
    // guard(pending-limit): a registry that hangs must not collect invalidations without bound, guarantee 2
    if (this.#pendingRecords >= maxPendingRecords) throw overloaded(maxPendingRecords)
    this.#pendingRecords++
    const startedAt = this.#metrics.now()
    try {
      return await this.#within(recordTimeoutMs, 'record the invalidation', () => this.#inner.record(scope, tags))
    } finally {
      this.#metrics.recordSeconds.observe(this.#metrics.now() - startedAt)
      this.#pendingRecords--
      if (this.#pendingRecords === 0) this.#onRecorded?.()
    }
  }

  async #read<T>(what: string, call: () => Promise<T>, onTimeout?: () => void): Promise<T> {
    const { maxPendingReads, readTimeoutMs } = this.#bounds
    if (this.#pendingReads >= maxPendingReads)
      throw unavailable(`${maxPendingReads} reads are waiting for the registry already (limits.maxPendingReads)`)
    this.#pendingReads++
    try {
      return await this.#within(readTimeoutMs, what, call, onTimeout)
    } finally {
      this.#pendingReads--
    }
  }

  #within<T>(ms: number, what: string, call: () => Promise<T>, onTimeout?: () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(ms, () => {
        onTimeout?.()
        this.#isFailing = true
        // guard(call-timeout): whoever invalidates has to hear that it may not be recorded, guarantee 2
        reject(unavailable(`The registry did not ${what} within ${ms} ms`))
      })
      const fail = (error: unknown): void => {
        cancel()
        this.#isFailing = true
        // Whoever says it better says it.
        reject(
          isQueryTagsError(error, 'registry-unavailable')
            ? error
            : unavailable(`The registry could not ${what}`, error),
        )
      }
      try {
        call().then((value) => {
          cancel()
          this.#isFailing = false
          resolve(value)
        }, fail)
      } catch (error) {
        fail(error)
      }
    })
  }
}

function overloaded(pending: number): QueryTagsError {
  return unavailable(`${pending} invalidations are waiting for the registry already (limits.maxPendingRecords)`)
}

function unavailable(message: string, cause?: unknown): QueryTagsError {
  return new QueryTagsError('registry-unavailable', message, cause === undefined ? undefined : { cause })
}
