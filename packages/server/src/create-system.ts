import {
  formatPosition,
  GLOBAL_SCOPE,
  QueryTagsError,
  toScopeId,
  type Cursor,
  type Receipt,
  type Scope,
} from '@query-tags/core'
import { CountingClock } from './clock.ts'
import { Authorizer } from './http/authorize.ts'
import type { Outcome } from './http/outcome.ts'
import { fromRequest, type HandlerRequest } from './http/request.ts'
import { Responder, type ControlResult } from './http/respond.ts'
import { toResponse } from './http/to-response.ts'
import { Hub } from './hub/hub.ts'
import { recordAfter, recordInvalidation, type Announcer, type Invalidate } from './invalidate.ts'
import { Metrics } from './metrics/metrics.ts'
import { toPrometheusText } from './metrics/prometheus-text.ts'
import { readOptions, type Settings, type SystemOptions } from './options.ts'
import { BoundedRegistry } from './registry/bounded-registry.ts'
import { createMemoryRegistry } from './registry/memory.ts'
import { warnIfOneOfMany } from './registry/one-of-many.ts'
import { openStore } from './registry/store.ts'
import { Reporter } from './reporter.ts'
import type {
  CloseOptions,
  ContextArgument,
  ContextOptions,
  HandlerOptions,
  SystemStats,
  TagInvalidationSystem,
} from './tag-invalidation-system.ts'

/** How long streams have to end, once they were asked to. */
const CLOSE_MS = 5000
/** Longest wait for a read of the registry; a heartbeat waits for one, and must not be late. */
const MAX_READ_MS = 2000

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
  readonly #metrics: Metrics
  readonly #registry: BoundedRegistry
  readonly #isOwnRegistry: boolean
  readonly #hub: Hub
  readonly #announcer: Announcer
  readonly #responder: Responder<Ctx>
  #closing: Promise<void> | undefined
  #isClosed = false

  constructor(settings: Settings<Ctx>) {
    const { limits, heartbeatMs, resolveScope } = settings
    const clock = new CountingClock(settings.clock)
    this.#clock = clock
    this.#metrics = new Metrics(clock)
    this.#reporter = new Reporter(clock, settings.onError)
    if (!settings.store) warnIfOneOfMany()
    const store = settings.store ?? createMemoryRegistry({ clock })
    const { registry, isOwned } = openStore(store, {
      clock,
      report: (error) => {
        this.#reporter.report(error, 'registry')
      },
    })
    this.#isOwnRegistry = isOwned || !settings.store
    this.#registry = new BoundedRegistry(registry, clock, this.#metrics, {
      maxPendingRecords: limits.maxPendingRecords,
      recordTimeoutMs: limits.recordTimeoutMs,
      maxPendingReads: limits.maxPendingReads,
      readTimeoutMs: Math.min(MAX_READ_MS, heartbeatMs),
    })
    const shared = { clock, limits, reporter: this.#reporter, metrics: this.#metrics }
    this.#hub = new Hub({ ...shared, registry: this.#registry, heartbeatMs, scoped: resolveScope !== undefined })
    this.#announcer = {
      registry: this.#registry,
      onRecorded: (scope, at) => {
        this.#hub.recorded(scope, at)
      },
      onUnrecorded: (scope, tags) => {
        this.#hub.tell(scope, tags)
      },
    }
    this.#responder = new Responder({
      ...shared,
      hub: this.#hub,
      authorizer: new Authorizer(resolveScope, shared),
      allowedOrigins: settings.allowedOrigins,
      maxStreamMs: settings.maxStreamMs,
    })
  }

  createAPIHandler<Native = unknown>(
    ...[options]: ContextOptions<Ctx, [request: Request, native: Native], HandlerOptions>
  ): (request: Request, ...native: ContextArgument<Native>) => Promise<Response> {
    const { basePath = '/api/invalidator', context } = options ?? {}
    const base = readBasePath(basePath)
    return async (request, ...[native]) => {
      const path = new URL(request.url, 'http://localhost').pathname
      const below = path === base || path.startsWith(`${base}/`) ? path.slice(base.length) : '/not-found'
      // Without `context` nothing is known of Ctx, so undefined is one.
      const outcome = await this.respond(fromRequest(request, below), () => context?.(request, native as Native) as Ctx)
      return toResponse(outcome, request.signal)
    }
  }

  async invalidateTags(invalidate: Invalidate): Promise<Receipt> {
    this.#checkOpen()
    return recordInvalidation(this.#announcer, invalidate)
  }

  async invalidateAfter<T>(work: (invalidate: (invalidate: Invalidate) => void) => T | Promise<T>): Promise<T> {
    this.#checkOpen()
    return recordAfter(this.#announcer, work)
  }

  async cursor(scopes: Scope | readonly Scope[] = []): Promise<Cursor> {
    const given = Array.isArray(scopes) ? (scopes as readonly Scope[]) : [scopes as Scope]
    const ids = new Set([GLOBAL_SCOPE, ...given].map(toScopeId))
    if (this.#isClosed) return {}
    const positions = await Promise.all([...ids].map((id) => this.#position(id)))
    return Object.fromEntries(positions.flat())
  }

  async disconnect({ scope }: { readonly scope: Scope }): Promise<void> {
    this.#checkOpen()
    await this.#hub.disconnects.record(toScopeId(scope))
  }

  handleControl(message: unknown, ...[ctx]: ContextArgument<Ctx>): Promise<ControlResult> {
    return this.#responder.control(message, () => ctx as Ctx)
  }

  respond(request: HandlerRequest, context: () => Ctx | Promise<Ctx>): Promise<Outcome> {
    return this.#responder.respond(request, context)
  }

  stats(): SystemStats {
    const { connections, channels, endingCount, verifyAgeSeconds } = this.#hub
    let backlogBytes = 0
    for (const connection of connections.values()) backlogBytes += connection.backlogBytes
    const isFailing = this.#registry.isFailing || channels.some((channel) => channel.isFailing)
    return {
      state: this.#closing ? 'closing' : isFailing ? 'degraded' : 'ready',
      connections: connections.size,
      endingConnections: endingCount,
      scopes: channels.length,
      watchedTags: channels.reduce((count, { audience }) => count + audience.tagCount, 0),
      backlogBytes,
      pendingRecords: this.#registry.pendingRecords,
      pendingReads: this.#registry.pendingReads,
      timers: this.#clock.pendingTimers,
      verifyAgeMs: verifyAgeSeconds * 1000,
      resets: Object.fromEntries([...this.#metrics.resets.counts].filter(([, count]) => count > 0)),
    }
  }

  metrics(): string {
    const { connections, verifyAgeSeconds } = this.#hub
    const { floorRaisedCount: floorRaised } = this.#registry
    return toPrometheusText(this.#metrics, { connections: connections.size, verifyAgeSeconds, floorRaised })
  }

  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options)
    return this.#closing
  }

  async #close({ drainMs = 0, deadlineMs = drainMs + CLOSE_MS }: CloseOptions): Promise<void> {
    this.#responder.close()
    await this.#hub.close(Math.min(drainMs, deadlineMs), deadlineMs)
    await this.#registry.recorded(deadlineMs)
    this.#isClosed = true
    if (this.#isOwnRegistry)
      await this.#registry.close().catch((error: unknown) => this.#reporter.report(error, 'registry'))
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
