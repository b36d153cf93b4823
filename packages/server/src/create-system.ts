import {
  formatPosition,
  GLOBAL_SCOPE,
  QueryTagsError,
  toScopeId,
  type Cursor,
  type Receipt,
  type ResetReason,
  type Scope,
} from '@query-tags/core'
import { CountingClock } from './clock.ts'
import { Authorizer } from './http/authorize.ts'
import type { Outcome } from './http/outcome.ts'
import { fromRequest, type HandlerRequest } from './http/request.ts'
import { Responder, type ControlResult } from './http/respond.ts'
import { toResponse } from './http/to-response.ts'
import { Hub } from './hub/hub.ts'
import { recordAfter, recordInvalidation, type Invalidate } from './invalidate.ts'
import { readOptions, type Settings, type SystemOptions } from './options.ts'
import { BoundedRegistry } from './registry/bounded-registry.ts'
import { createMemoryRegistry } from './registry/memory.ts'
import type { TagRegistry } from './registry/tag-registry.ts'
import { Reporter } from './reporter.ts'

/** Longest wait for a read of the registry; a heartbeat waits for one, and must not be late. */
const MAX_READ_MS = 2000

/** An argument that may be left out only where nothing is known about its type. */
type ContextArgument<Ctx> = unknown extends Ctx ? [ctx?: Ctx] : [ctx: Ctx]

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
   * @default 5000
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
  readonly timers: number
  /** Resets since the start, by reason. */
  readonly resets: { readonly [K in ResetReason]?: number }
}

export interface TagInvalidationSystem<Ctx = unknown> {
  /**
   * A request handler for every framework that speaks `Request` and `Response`. `context` makes of the request what `resolveScope` gets;
   * its second argument is what the framework passes as second.
   *
   * @throws {QueryTagsError} `invalid-option`
   *
   * @example
   * ```ts
   * const handler = system.createAPIHandler({ basePath: '/api/invalidator' })
   * ```
   */
  createAPIHandler(
    ...options: ContextOptions<Ctx, [request: Request, native: unknown], HandlerOptions>
  ): (request: Request, native?: unknown) => Promise<Response>

  /**
   * Says that these tags changed. Call it after the change is committed. When it resolves, the invalidation is recorded: every client in the
   * scope that holds matching data will refetch it, now or when it is back.
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
   * @throws what the work throws; or an {@link UnannouncedError} with the work's `result` when the work was done but could not be recorded.
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
   * can't tell is left out, and clients take its data as old.
   *
   * @throws {QueryTagsError} `invalid-scope`
   */
  cursor(scopes?: Scope | readonly Scope[]): Promise<Cursor>

  /**
   * Answers a control message, the body of `POST {base}/watch`, that came another way: through a server function, say. Never rejects.
   *
   * @param message from outside, not checked.
   * @param ctx what `resolveScope` gets.
   */
  handleControl(message: unknown, ...ctx: ContextArgument<Ctx>): Promise<ControlResult>

  stats(): SystemStats

  /**
   * Refuses new streams with 503, ends those that are open, and settles in bounded time. Close the system before the HTTP server, which
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

/**
 * Creates a system: the registry of what was invalidated when, and the connections to clients. One per process.
 *
 * @throws {QueryTagsError} `invalid-option`
 *
 * @example
 * ```ts
 * const system = createTagInvalidationSystem()
 * app.use('/api/invalidator', createExpressMiddleware(system))
 * await system.invalidateTags({ tags: [['todos']] })
 * ```
 */
export function createTagInvalidationSystem<Ctx = unknown>(
  options: SystemOptions<Ctx> = {},
): TagInvalidationSystem<Ctx> {
  return new System(readOptions(options))
}

class System<Ctx> implements TagInvalidationSystem<Ctx> {
  readonly #clock: CountingClock
  readonly #reporter: Reporter
  readonly #registry: BoundedRegistry
  readonly #ownRegistry: TagRegistry | undefined
  readonly #hub: Hub
  readonly #responder: Responder<Ctx>
  #closing: Promise<void> | undefined
  #isClosed = false

  constructor(settings: Settings<Ctx>) {
    const { limits, heartbeatMs, resolveScope } = settings
    const clock = new CountingClock(settings.clock)
    this.#clock = clock
    this.#reporter = new Reporter(clock, settings.onError)
    this.#ownRegistry = settings.store ? undefined : createMemoryRegistry({ clock })
    this.#registry = new BoundedRegistry(settings.store ?? this.#ownRegistry!, clock, {
      maxPendingRecords: limits.maxPendingRecords,
      recordTimeoutMs: limits.recordTimeoutMs,
      readTimeoutMs: Math.min(MAX_READ_MS, heartbeatMs),
    })
    const shared = { clock, limits, reporter: this.#reporter }
    this.#hub = new Hub({ ...shared, registry: this.#registry, heartbeatMs, scoped: resolveScope !== undefined })
    this.#responder = new Responder({
      ...shared,
      hub: this.#hub,
      authorizer: new Authorizer(resolveScope, this.#reporter, limits.maxAuthorizations),
      allowedOrigins: settings.allowedOrigins,
      maxStreamMs: settings.maxStreamMs,
    })
  }

  createAPIHandler(
    ...[options]: ContextOptions<Ctx, [request: Request, native: unknown], HandlerOptions>
  ): (request: Request, native?: unknown) => Promise<Response> {
    const { basePath = '/api/invalidator', context } = options ?? {}
    const base = readBasePath(basePath)
    return async (request, native) => {
      const path = new URL(request.url, 'http://localhost').pathname
      const below = path === base || path.startsWith(`${base}/`) ? path.slice(base.length) : '/not-found'
      // Without `context` nothing is known of Ctx, so undefined is one.
      const outcome = await this.respond(fromRequest(request, below), () => context?.(request, native) as Ctx)
      return toResponse(outcome, request.signal)
    }
  }

  async invalidateTags(invalidate: Invalidate): Promise<Receipt> {
    this.#checkOpen()
    return recordInvalidation(this.#registry, invalidate)
  }

  async invalidateAfter<T>(work: (invalidate: (invalidate: Invalidate) => void) => T | Promise<T>): Promise<T> {
    this.#checkOpen()
    return recordAfter(this.#registry, work)
  }

  async cursor(scopes: Scope | readonly Scope[] = []): Promise<Cursor> {
    this.#checkOpen()
    const given = Array.isArray(scopes) ? (scopes as readonly Scope[]) : [scopes as Scope]
    const ids = new Set([GLOBAL_SCOPE, ...given].map(toScopeId))
    const positions = await Promise.all([...ids].map((id) => this.#position(id)))
    return Object.fromEntries(positions.flat())
  }

  handleControl(message: unknown, ...[ctx]: ContextArgument<Ctx>): Promise<ControlResult> {
    return this.#responder.control(message, () => ctx as Ctx)
  }

  respond(request: HandlerRequest, context: () => Ctx | Promise<Ctx>): Promise<Outcome> {
    return this.#responder.respond(request, context)
  }

  stats(): SystemStats {
    const { connections, channels, endingCount, resets } = this.#hub
    let backlogBytes = 0
    for (const connection of connections.values()) backlogBytes += connection.backlogBytes
    return {
      connections: connections.size,
      endingConnections: endingCount,
      scopes: channels.length,
      watchedTags: channels.reduce((count, { audience }) => count + audience.tagCount, 0),
      backlogBytes,
      pendingRecords: this.#registry.pendingRecords,
      timers: this.#clock.pendingTimers,
      resets: Object.fromEntries(resets),
    }
  }

  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options)
    return this.#closing
  }

  async #close({ deadlineMs = 5000, drainMs = 0 }: CloseOptions): Promise<void> {
    this.#responder.close()
    await this.#hub.close(Math.min(drainMs, deadlineMs), deadlineMs)
    this.#isClosed = true
    await this.#ownRegistry?.close()
  }

  async #position(scope: string): Promise<[scope: string, position: string][]> {
    try {
      return [[scope, formatPosition(await this.#registry.head(scope))]]
    } catch (error) {
      this.#reporter.report(error, 'registry')
      return []
    }
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new QueryTagsError('closed', 'The system is closed')
  }
}

function readBasePath(basePath: string): string {
  if (typeof basePath !== 'string' || !basePath.startsWith('/')) {
    throw new QueryTagsError('invalid-option', `basePath (${basePath}) must start with "/"`)
  }
  return basePath.replace(/\/+$/, '')
}
