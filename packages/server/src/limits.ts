import { QueryTagsError } from '@query-tags/core'

/** What one system admits. Whatever exceeds a limit is refused, and nothing that was admitted is thrown out for it. */
export interface Limits {
  /**
   * Open streams. One more is answered with 503.
   * @default 10_000
   */
  readonly maxConnections: number
  /**
   * Open streams of one first scope that `resolveScope` returned (put the user first). One more is answered with 429. Without
   * `resolveScope` there is no such limit.
   * @default 100
   */
  readonly maxConnectionsPerScope: number
  /**
   * Calls of `context` and `resolveScope` at a time. One more is answered with 503.
   * @default 100
   */
  readonly maxAuthorizations: number
  /**
   * Tags of one watch list. A client with more watches everything.
   * @default 2000
   */
  readonly maxWatchedTags: number
  /**
   * Size of one watch list, in characters of its tags as JSON.
   * @default 49_152
   */
  readonly maxWatchedBytes: number
  /**
   * Watch lists of one connection: browser tabs that share it.
   * @default 64
   */
  readonly maxWatchers: number
  /**
   * Requests that change the watch lists of one connection, per second. One more is answered with 429.
   * @default 20
   */
  readonly maxControlCallsPerSecond: number
  /**
   * Size of a request's body in bytes. A larger one is answered with 413.
   * @default 65_536
   */
  readonly maxBodyBytes: number
  /**
   * Milliseconds that a body may take to arrive. A slower one is answered with 408.
   * @default 10_000
   */
  readonly bodyTimeoutMs: number
  /**
   * What waits for a slow reader, in characters of its tags as JSON. Beyond it the reader gets one reset in their place.
   * @default 65_536
   */
  readonly maxBacklogBytes: number
  /**
   * Milliseconds without progress after which a reader that does not read is cut off.
   * @default 30_000
   */
  readonly writeStallMs: number
  /**
   * Invalidations that wait for the registry. One more rejects at once.
   * @default 10_000
   */
  readonly maxPendingRecords: number
  /**
   * Reads of the registry, and subscriptions to it, that wait for an answer. One more fails at once: the client is told that the server can't
   * verify, and repaired later.
   * @default 50_000
   */
  readonly maxPendingReads: number
  /**
   * Milliseconds after which an invalidation that the registry has not confirmed rejects.
   * @default 5000
   */
  readonly recordTimeoutMs: number
}

const DEFAULT_LIMITS: Limits = {
  maxConnections: 10_000,
  maxConnectionsPerScope: 100,
  maxAuthorizations: 100,
  maxWatchedTags: 2000,
  maxWatchedBytes: 49_152,
  maxWatchers: 64,
  maxControlCallsPerSecond: 20,
  maxBodyBytes: 65_536,
  bodyTimeoutMs: 10_000,
  maxBacklogBytes: 65_536,
  writeStallMs: 30_000,
  maxPendingRecords: 10_000,
  maxPendingReads: 50_000,
  recordTimeoutMs: 5000,
}

/** @throws {QueryTagsError} `invalid-option` for a limit that is unknown or no positive integer. */
export function readLimits(limits: Partial<Limits> = {}): Limits {
  const known = new Set(Object.keys(DEFAULT_LIMITS))
  const given = Object.entries(limits).filter(([, value]) => value !== undefined)
  for (const [name, value] of given) {
    if (!known.has(name)) {
      throw new QueryTagsError('invalid-option', `limits.${name} does not exist; there are ${[...known].join(', ')}`)
    }
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new QueryTagsError('invalid-option', `limits.${name} (${String(value)}) must be a positive integer`)
    }
  }
  return { ...DEFAULT_LIMITS, ...Object.fromEntries(given) }
}
