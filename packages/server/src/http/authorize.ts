import { GLOBAL_SCOPE, MAX_CURSOR_SCOPES, QueryTagsError, toScopeId, type Scope } from '@query-tags/core'
import type { Reporter } from '../reporter.ts'
import { Refusal } from './refusal.ts'

/** Says which scopes a caller is in, besides the global one; `null`: none of your users. */
export type ResolveScope<Ctx> = (
  context: Ctx,
) => Scope | readonly Scope[] | null | Promise<Scope | readonly Scope[] | null>

const GLOBAL_ID = toScopeId(GLOBAL_SCOPE)
const MAX_RESOLVED_SCOPES = MAX_CURSOR_SCOPES - 1

/** Finds out the scopes of a caller, by asking the application. */
export class Authorizer<Ctx> {
  readonly #resolveScope: ResolveScope<Ctx> | undefined
  readonly #reporter: Reporter
  readonly #maxInFlight: number
  #inFlight = 0

  constructor(resolveScope: ResolveScope<Ctx> | undefined, reporter: Reporter, maxInFlight: number) {
    this.#resolveScope = resolveScope
    this.#reporter = reporter
    this.#maxInFlight = maxInFlight
  }

  /** Whether callers differ at all. */
  get isScoped(): boolean {
    return this.#resolveScope !== undefined
  }

  /**
   * Identities of a caller's scopes, the global one first, then in the order that `resolveScope` returned them.
   *
   * @throws {Refusal} `unauthorized`, `unavailable` over the limit, `internal` when the application's code failed
   */
  async scopesOf(context: () => Ctx | Promise<Ctx>): Promise<readonly string[]> {
    const resolveScope = this.#resolveScope
    if (!resolveScope) return [GLOBAL_ID]
    if (this.#inFlight >= this.#maxInFlight) throw new Refusal('unavailable', 'Too many requests are being authorized')
    this.#inFlight++
    try {
      const ctx = await this.#ask('context', context)
      const resolved = await this.#ask('resolve-scope', async () => readScopes(await resolveScope(ctx)))
      // Null is the application's word that this caller may not listen.
      if (resolved === null) throw new Refusal('unauthorized', 'The caller is not authorized')
      return [...new Set([GLOBAL_ID, ...resolved])]
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

/** @throws {QueryTagsError} `invalid-scope` for anything that `resolveScope` must not return. */
function readScopes(resolved: Scope | readonly Scope[] | null): readonly string[] | null {
  if (resolved === null) return null
  const scopes = Array.isArray(resolved) ? (resolved as readonly Scope[]) : [resolved as Scope]
  if (scopes.length > MAX_RESOLVED_SCOPES) {
    throw new QueryTagsError(
      'invalid-scope',
      `resolveScope returned ${scopes.length} scopes; at most ${MAX_RESOLVED_SCOPES} are possible`,
    )
  }
  return scopes.map(toScopeId)
}
