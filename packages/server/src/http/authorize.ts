import { GLOBAL_SCOPE, MAX_CURSOR_SCOPES, QueryTagsError, toScopeId, type Scope } from '@query-tags/core'
import type { Clock } from '../clock.ts'
import type { Limits } from '../limits.ts'
import type { Reporter } from '../reporter.ts'
import { Refusal } from './refusal.ts'

/** Says which scopes a caller is in, besides the global one; `null`: none of your users. */
export type ResolveScope<Ctx> = (context: Ctx) => ResolvedScopes | Promise<ResolvedScopes>

export type ResolvedScopes = Scope | readonly Scope[] | ExpiringScopes | null

/** Scopes that a caller is in until its session or token expires. */
export interface ExpiringScopes {
  readonly scopes: Scope | readonly Scope[]
  /** A date, or milliseconds since 1970 (the `exp` of a JWT is in seconds). The stream ends then, and its client has to authorize anew. */
  readonly expiresAt: Date | number
}

/** A caller who was let in. */
export interface Authorized {
  /** Identities of its scopes, the global one first, then in the order that `resolveScope` returned them. */
  readonly scopes: readonly string[]
  /** On the monotonic clock; Infinity for never. */
  readonly expiresAt: number
}

const GLOBAL_ID = toScopeId(GLOBAL_SCOPE)
const MAX_RESOLVED_SCOPES = MAX_CURSOR_SCOPES - 1
/** In 1973. What is less was meant as seconds. */
const MIN_EXPIRY_MS = 1e11

/** Finds out the scopes of a caller, by asking the application. */
export class Authorizer<Ctx> {
  readonly #resolveScope: ResolveScope<Ctx> | undefined
  readonly #reporter: Reporter
  readonly #clock: Clock
  readonly #maxInFlight: number
  #inFlight = 0

  constructor(
    resolveScope: ResolveScope<Ctx> | undefined,
    { reporter, clock, limits }: { reporter: Reporter; clock: Clock; limits: Limits },
  ) {
    this.#resolveScope = resolveScope
    this.#reporter = reporter
    this.#clock = clock
    this.#maxInFlight = limits.maxAuthorizations
  }

  /** Whether callers differ at all. */
  get isScoped(): boolean {
    return this.#resolveScope !== undefined
  }

  /** @throws {Refusal} `unauthorized`, `unavailable` over the limit, `internal` when the application's code failed */
  async authorize(context: () => Ctx | Promise<Ctx>): Promise<Authorized> {
    const resolveScope = this.#resolveScope
    if (!resolveScope) return { scopes: [GLOBAL_ID], expiresAt: Infinity }
    if (this.#inFlight >= this.#maxInFlight) throw new Refusal('unavailable', 'Too many requests are being authorized')
    this.#inFlight++
    try {
      const ctx = await this.#ask('context', context)
      const resolved = await this.#ask('resolve-scope', async () => readResolved(await resolveScope(ctx)))
      const leftMs = resolved && resolved.expiresAt - this.#clock.wallNow()
      // Null is the application's word that this caller may not listen.
      if (leftMs === null || leftMs <= 0) throw new Refusal('unauthorized', 'The caller is not authorized')
      return { scopes: [...new Set([GLOBAL_ID, ...resolved!.scopes])], expiresAt: this.#clock.now() + leftMs }
    } finally {
      this.#inFlight--
    }
  }

  /** @throws {Refusal} `scope-denied` unless the wish, if any, is one of the scopes. */
  checkWish(wish: string | undefined, scopes: readonly string[]): void {
    if (wish === undefined) return
    if (!this.isScoped)
      throw new Refusal(
        'scope-denied',
        'This server has no scopes; leave the scope out, or give the server a resolveScope',
      )
    if (!scopes.includes(wish)) throw new Refusal('scope-denied', 'The caller is not in the scope that it asked for')
  }

  /** What the application throws is reported to the application, and nobody else. */
  async #ask<T>(phase: 'context' | 'resolve-scope', call: () => T | Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      this.#reporter.report(error, phase)
      throw new Refusal('internal', 'The server could not authorize the caller')
    }
  }
}

/**
 * Identities, and an expiry on the wall clock.
 *
 * @throws {QueryTagsError} `invalid-scope` for anything that `resolveScope` must not return.
 */
function readResolved(resolved: ResolvedScopes): Authorized | null {
  if (resolved === null) return null
  if (typeof resolved !== 'object' || !('expiresAt' in resolved))
    return { scopes: toScopeIds(resolved), expiresAt: Infinity }
  return { scopes: toScopeIds(resolved.scopes), expiresAt: readExpiry(resolved.expiresAt) }
}

function readExpiry(expiresAt: unknown): number {
  const ms = expiresAt instanceof Date ? expiresAt.getTime() : expiresAt
  if (typeof ms === 'number' && ms >= MIN_EXPIRY_MS) return ms
  throw new QueryTagsError(
    'invalid-scope',
    `resolveScope returned expiresAt ${String(expiresAt)}; it must be a Date or milliseconds since 1970, of which seconds are a thousandth`,
  )
}

function toScopeIds(given: Scope | readonly Scope[]): readonly string[] {
  const scopes = Array.isArray(given) ? (given as readonly Scope[]) : [given as Scope]
  if (scopes.length > MAX_RESOLVED_SCOPES) {
    throw new QueryTagsError(
      'invalid-scope',
      `resolveScope returned ${scopes.length} scopes; at most ${MAX_RESOLVED_SCOPES} are possible`,
    )
  }
  return scopes.map(toScopeId)
}
