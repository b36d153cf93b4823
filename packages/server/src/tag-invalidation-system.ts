import type { Cursor, Receipt, ResetReason, Scope } from '@query-tags/core'
import type { Outcome } from './http/outcome.ts'
import type { HandlerRequest } from './http/request.ts'
import type { ControlResult } from './http/respond.ts'
import type { Invalidate } from './invalidate.ts'

/** An argument that may be left out only where nothing is known about its type. */
export type ContextArgument<Ctx> = unknown extends Ctx ? [ctx?: Ctx] : [ctx: Ctx]

/**
 * Options in which `context` may be left out only where the system does not care what it is. For adapter authors: an adapter's second
 * parameter is `...[options]: ContextOptions<Ctx, [req: Request]>`.
 */
export type ContextOptions<Ctx, Args extends readonly unknown[], More = unknown> = unknown extends Ctx
  ? [options?: { readonly context?: (...args: Args) => Ctx | Promise<Ctx> } & More]
  : [options: { readonly context: (...args: Args) => Ctx | Promise<Ctx> } & More]

export interface HandlerOptions {
  /**
   * The path that the handler is mounted at.
   * @default '/api/invalidator'
   */
  readonly basePath?: string
}

export interface CloseOptions {
  /**
   * Milliseconds after which streams that are still open are cut off. At least this bounds how long `close` takes.
   * @default 5000 more than `drainMs`
   */
  readonly deadlineMs?: number
  /**
   * Milliseconds over which the streams are ended, so that the clients do not all come back at once. For rolling deployments.
   * @default 0
   */
  readonly drainMs?: number
}

/** What a system is doing now. */
export interface SystemStats {
  /**
   * - `ready`.
   * - `degraded`: the registry failed when it was last asked. Streams are open, clients know that nothing is verified, and are brought up to
   *   date later. Leave the process in service: it is no worse than its neighbours, and its clients would have to move for nothing.
   * - `closing`: `close()` was called, and every new stream is refused. The one state in which a readiness check has to fail.
   */
  readonly state: 'ready' | 'degraded' | 'closing'
  /** Open streams. */
  readonly connections: number
  /** Streams that were ended but whose response is not over yet. */
  readonly endingConnections: number
  /** Scopes with connections. */
  readonly scopes: number
  /** Distinct watched tags, scope by scope. */
  readonly watchedTags: number
  /** Characters of tags that wait for slow readers. */
  readonly backlogBytes: number
  /** Invalidations that the registry has not confirmed yet. */
  readonly pendingRecords: number
  /** Reads of the registry, and subscriptions, that it has not answered yet. */
  readonly pendingReads: number
  readonly timers: number
  /** Milliseconds since the registry confirmed the scope that it confirmed longest ago. About `heartbeatMs` at most when all is well. */
  readonly verifyAgeMs: number
  /** Resets since the start, by reason. */
  readonly resets: { readonly [K in ResetReason]?: number }
}

export interface TagInvalidationSystem<Ctx = unknown> {
  /**
   * A request handler for every framework that speaks `Request` and `Response`. `context` makes of the request what `resolveScope` gets;
   * its second argument is what the framework passes as second. Give that parameter a type, and the handler asks for it.
   *
   * @throws {QueryTagsError} `invalid-option`
   *
   * @example
   * ```ts
   * const handler = system.createAPIHandler({ basePath: '/api/invalidator' })
   * ```
   *
   * @example What a middleware found out
   * ```ts
   * const handler = system.createAPIHandler({ context: (_request, { token }: { token: string }) => ({ token }) })
   * const response = await handler(request, context)
   * ```
   */
  createAPIHandler<Native = unknown>(
    ...options: ContextOptions<Ctx, [request: Request, native: Native], HandlerOptions>
  ): (request: Request, ...native: ContextArgument<Native>) => Promise<Response>

  /**
   * Says that these tags changed. Call it after the change is committed. When it resolves, the invalidation is recorded: every client in the
   * scope that holds matching data will refetch it, now or when it is back.
   *
   * When it rejects, the streams of this process are told all the same; every other client has to wait for the next call that resolves.
   * Calls go on being recorded while the system closes, until `close()` resolves.
   *
   * @returns a receipt, which a response may carry to the client that asked for the change.
   * @throws {QueryTagsError} `registry-unavailable` when it was not recorded within 5 s, or 10,000 others wait; `invalid-tag`,
   * `invalid-scope`, `too-large`, `closed`
   *
   * @example
   * ```ts
   * await system.invalidateTags({ tags: [appTags.todos.byId('7')], scope: { kind: 'user', id: user.id } })
   * ```
   */
  invalidateTags(invalidate: Invalidate): Promise<Receipt>

  /**
   * Runs the work, and records what it passed to `invalidate` once it has resolved; nothing when it throws. Resolves with the work's result.
   *
   * @throws what the work throws; or an `UnannouncedError` with the work's `result` when the work was done but could not be recorded.
   *
   * @example
   * ```ts
   * const todo = await system.invalidateAfter(async (invalidate) => {
   *   const todo = await db.transaction((tx) => insertTodo(tx, input))
   *   invalidate({ tags: [appTags.todos.list()] })
   *   return todo
   * })
   * ```
   */
  invalidateAfter<T>(work: (invalidate: (invalidate: Invalidate) => void) => T | Promise<T>): Promise<T>

  /**
   * Where the global scope, and these scopes, are now. Take it before you read the data that you render or ship. A scope that the registry
   * can't tell is left out, and clients take its data as old; so is every scope once the system is closed.
   *
   * @throws {QueryTagsError} `invalid-scope`
   */
  cursor(scopes?: Scope | readonly Scope[]): Promise<Cursor>

  /**
   * Ends every stream in a scope, on every process that shares the registry, and every connect that was authorized before this call and
   * is not complete yet. Clients come back at once, and are authorized anew. Call it after a logout or a change of rights took effect, so
   * that `resolveScope` does not find the old ones.
   *
   * What your own middleware looked up before it called the handler does not count as authorized by the system: to be exact, look the
   * session up in `context` or `resolveScope`.
   *
   * @returns when it is recorded: processes that can't be reached now end their streams when they can.
   * @throws {QueryTagsError} `registry-unavailable` when it could not be recorded; the streams of this process are ended all the same;
   * `invalid-scope`, `closed`
   *
   * @example
   * ```ts
   * await sessions.delete(token)
   * await system.disconnect({ scope: { kind: 'user', id: user.id } })
   * ```
   */
  disconnect(options: { readonly scope: Scope }): Promise<void>

  /**
   * Answers a control message, the body of `POST {base}/watch`, that came another way: through a server function, say. Never rejects.
   *
   * @param message from outside, not checked.
   * @param ctx what `resolveScope` gets.
   */
  handleControl(message: unknown, ...ctx: ContextArgument<Ctx>): Promise<ControlResult>

  stats(): SystemStats

  /**
   * What the system did and does, in the text format of Prometheus (`text/plain; version=0.0.4`). No tag and no scope is in it. Give it to
   * your metrics route, which is yours to protect.
   *
   * @example
   * ```ts
   * app.get('/metrics', (req, res) => res.type('text/plain; version=0.0.4').send(system.metrics()))
   * ```
   */
  metrics(): string

  /**
   * Refuses new streams with 503, ends those that are open, waits for invalidations that are being recorded, and resolves in bounded time. Close the system before the HTTP server, which
   * waits for open streams. Calling it again returns the same promise.
   */
  close(options?: CloseOptions): Promise<void>

  /**
   * Turns a request into an outcome. For adapter authors: translate the framework's request, call this, write the outcome. Never rejects.
   *
   * @param context called once the origin is known to be allowed.
   */
  respond(request: HandlerRequest, context: () => Ctx | Promise<Ctx>): Promise<Outcome>
}
