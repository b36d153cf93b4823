import { QueryTagsError } from '@query-tags/core'
import { systemClock, type Clock } from './clock.ts'
import type { ResolveScope } from './http/authorize.ts'
import { readOrigins } from './http/origin.ts'
import { readLimits, type Limits } from './limits.ts'
import { checkStore, type KeyvStore } from './registry/store.ts'
import type { TagRegistry } from './registry/tag-registry.ts'
import type { ErrorListener } from './reporter.ts'

export interface SystemOptions<Ctx = unknown> {
  /**
   * Where invalidations are remembered. Left out: in the memory of this process. A Keyv: durable, for one process at a time; over Redis or
   * Valkey for any number. Or a {@link TagRegistry} of your own, which stays yours to close.
   */
  readonly store?: KeyvStore | TagRegistry
  /**
   * Which scopes a caller is in, besides the global scope that everyone is in: one, several (at most 16, put the user first), or `null` for
   * a caller who may not connect at all. `{ scopes, expiresAt }` ends the stream when the session does. It gets what `context` made of the framework's request. Scopes are the only authorization: all tag
   * values of a scope are visible to everyone in it.
   */
  readonly resolveScope?: ResolveScope<Ctx>
  /**
   * Origins other than the server's own whose pages may connect, e.g. `https://app.example.com`.
   * @default []
   */
  readonly allowedOrigins?: readonly string[]
  /**
   * Milliseconds between heartbeats, 100 to 25,000. A client takes 2.5 of them without a byte as a lost connection. Bun cuts a stream that is
   * quiet for 10 s, proxies after 30 s or more.
   * @default 8000
   */
  readonly heartbeatMs?: number
  /**
   * Milliseconds, give or take 20 %, after which a stream ends and its client opens a new one: how long a revoked session may go on
   * listening. `null`: never. Looked at with each heartbeat.
   * @default 900_000
   */
  readonly maxStreamMs?: number | null
  /** What the server admits. */
  readonly limits?: Partial<Limits>
  /**
   * Hears of errors that no caller can be told: your `context` or `resolveScope` threw, the registry failed.
   * @default one line per second and phase through `console.warn`
   */
  readonly onError?: ErrorListener
  /** For tests and simulation: time, timers and randomness. */
  readonly clock?: Clock
}

/** {@link SystemOptions}, checked and complete. */
export interface Settings<Ctx> {
  readonly store: KeyvStore | TagRegistry | undefined
  readonly resolveScope: ResolveScope<Ctx> | undefined
  readonly allowedOrigins: ReadonlySet<string>
  readonly heartbeatMs: number
  readonly maxStreamMs: number
  readonly limits: Limits
  readonly onError: ErrorListener | undefined
  readonly clock: Clock
}

const MIN_HEARTBEAT_MS = 100
const MAX_HEARTBEAT_MS = 25_000

/** @throws {QueryTagsError} `invalid-option` */
export function readOptions<Ctx>(options: SystemOptions<Ctx>): Settings<Ctx> {
  const { store, resolveScope, heartbeatMs = 8000, maxStreamMs = 900_000, onError, clock = systemClock } = options
  checkStore(store)
  if (resolveScope !== undefined && typeof resolveScope !== 'function')
    throw invalidOption('resolveScope must be a function')
  if (onError !== undefined && typeof onError !== 'function') throw invalidOption('onError must be a function')
  if (!(heartbeatMs >= MIN_HEARTBEAT_MS && heartbeatMs <= MAX_HEARTBEAT_MS)) {
    throw invalidOption(
      `heartbeatMs (${String(heartbeatMs)}) must be ${MIN_HEARTBEAT_MS} to ${MAX_HEARTBEAT_MS}: proxies cut streams that are quiet for longer`,
    )
  }
  if (maxStreamMs !== null && !(maxStreamMs > 0))
    throw invalidOption(`maxStreamMs (${String(maxStreamMs)}) must be above 0, or null`)
  return {
    store,
    resolveScope,
    allowedOrigins: readOrigins(options.allowedOrigins),
    heartbeatMs,
    maxStreamMs: maxStreamMs ?? Infinity,
    limits: readLimits(options.limits),
    onError,
    clock,
  }
}

function invalidOption(message: string): QueryTagsError {
  return new QueryTagsError('invalid-option', message)
}
