import { QueryTagsError, type PlainTag, type Position } from '@query-tags/core'
import type { Clock } from '../clock.ts'
import type { Missed, Recorded, TagRegistry } from './tag-registry.ts'

export interface RegistryBounds {
  readonly maxPendingRecords: number
  readonly recordTimeoutMs: number
  readonly readTimeoutMs: number
}

/** A registry of which every call settles in bounded time, whatever the one inside does. */
export class BoundedRegistry implements TagRegistry {
  readonly #inner: TagRegistry
  readonly #clock: Clock
  readonly #bounds: RegistryBounds
  #pendingRecords = 0

  constructor(inner: TagRegistry, clock: Clock, bounds: RegistryBounds) {
    this.#inner = inner
    this.#clock = clock
    this.#bounds = bounds
  }

  get pendingRecords(): number {
    return this.#pendingRecords
  }

  /** @throws {QueryTagsError} `registry-unavailable`. After a timeout the invalidation may still be recorded; recording it again is safe. */
  async record(scope: string, tags: readonly PlainTag[]): Promise<Position> {
    const { maxPendingRecords, recordTimeoutMs } = this.#bounds
    // guard(pending-limit): a registry that hangs must not collect invalidations without bound, guarantee 2
    if (this.#pendingRecords >= maxPendingRecords) throw overloaded(maxPendingRecords)
    this.#pendingRecords++
    try {
      return await this.#within(recordTimeoutMs, 'record the invalidation', () => this.#inner.record(scope, tags))
    } finally {
      this.#pendingRecords--
    }
  }

  since(scope: string, after: Position | { readonly ageMs: number }): Promise<Missed | 'expired'> {
    return this.#within(this.#bounds.readTimeoutMs, 'read', () => this.#inner.since(scope, after))
  }

  head(scope: string): Promise<Position> {
    return this.#within(this.#bounds.readTimeoutMs, 'read', () => this.#inner.head(scope))
  }

  subscribe(scope: string, listener: (recorded: Recorded) => void): Promise<() => void> {
    let abandoned = false
    const subscribing = async (): Promise<() => void> => {
      const unsubscribe = await this.#inner.subscribe(scope, listener)
      // Acknowledged after all, when nobody waits for it any more.
      if (abandoned) unsubscribe()
      return unsubscribe
    }
    return this.#within(this.#bounds.readTimeoutMs, 'subscribe', subscribing, () => {
      abandoned = true
    })
  }

  close(): Promise<void> {
    return this.#within(this.#bounds.recordTimeoutMs, 'close', () => this.#inner.close())
  }

  #within<T>(ms: number, what: string, call: () => Promise<T>, onTimeout?: () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(ms, () => {
        onTimeout?.()
        // guard(call-timeout): whoever invalidates has to hear that it may not be recorded, guarantee 2
        reject(unavailable(`The registry did not ${what} within ${ms} ms`))
      })
      const fail = (error: unknown): void => {
        cancel()
        reject(unavailable(`The registry could not ${what}`, error))
      }
      try {
        call().then((value) => {
          cancel()
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
