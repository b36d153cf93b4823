import { createConnection } from '@query-tags/core/client'
import {
  createMemoryRegistry,
  createTagInvalidationSystem,
  type ErrorListener,
  type HandlerRequest,
  type ResolveScope,
  type TagInvalidationSystem,
  type TagRegistry,
} from '@query-tags/server'
import { Activity } from './activity.ts'
import { createMemoryTransport } from './memory-transport.ts'
import { WatchedClient, type TestClient } from './test-client.ts'
import { TestClock } from './test-clock.ts'
import { TestEnvironment } from './test-environment.ts'

/** `context` may be left out only where the system does not care what it is. */
export type TestClientOptions<Ctx> = unknown extends Ctx
  ? { readonly context?: () => Ctx | Promise<Ctx> }
  : {
      /** Who the client is: what `resolveScope` gets. Called for each request, as an adapter's `context` is. */
      readonly context: () => Ctx | Promise<Ctx>
    }

export type TestInvalidationOptions<Ctx = unknown> = TestClientOptions<Ctx> & {
  /** As in `createTagInvalidationSystem`: which scopes a caller is in. */
  readonly resolveScope?: ResolveScope<Ctx>
  /** As in `createTagInvalidationSystem`: hears of what `context` and `resolveScope` throw. */
  readonly onError?: ErrorListener
}

export interface TestInvalidation<Ctx = unknown> {
  /** The real system, with its registry in memory. Give it to the code that invalidates, such as your request handlers. */
  readonly system: TagInvalidationSystem<Ctx>
  /** The real client, joined to the system. Give it to `TagInvalidationProvider` or `bindTags`. */
  readonly client: TestClient
  /** Another client of the same system, e.g. for another user or a second window; a client can be bound to one cache at a time. */
  readonly createClient: (
    ...options: unknown extends Ctx ? [options?: TestClientOptions<Ctx>] : [options: TestClientOptions<Ctx>]
  ) => TestClient
  /** Ends every client and the system. */
  readonly close: () => Promise<void>
}

/**
 * A system and a client joined in memory, for tests and Storybook: the code of production with neither a network nor timers in between. What
 * `invalidateTags` recorded is applied to the cache when it resolves, and `client.settled()` waits for the refetches.
 *
 * Time stands still in it: no heartbeat is due, no stream grows old, and nothing depends on how fast a test runs.
 *
 * @example
 * ```ts
 * const { system, client, close } = createTestInvalidation()
 * const binding = bindTags({ queryClient, client })
 * await client.settled()
 *
 * await system.invalidateTags({ tags: [['todos']] })
 * await client.settled()
 *
 * expect(fetchTodos).toHaveBeenCalledTimes(2)
 * ```
 */
export function createTestInvalidation<Ctx = unknown>(
  ...[options]: unknown extends Ctx ? [options?: TestInvalidationOptions<Ctx>] : [options: TestInvalidationOptions<Ctx>]
): TestInvalidation<Ctx> {
  const { resolveScope, onError, context } = (options ?? {}) as Partial<TestInvalidationOptions<Ctx>>
  const activity = new Activity()
  const clock = new TestClock()
  const system = createTagInvalidationSystem<Ctx>({
    ...(resolveScope && { resolveScope }),
    ...(onError && { onError }),
    clock,
    store: watchedRegistry(createMemoryRegistry({ clock }), clock, activity),
    maxStreamMs: null,
    // Time stands still, so a limit per second would be one for ever.
    limits: { maxControlCallsPerSecond: Number.MAX_SAFE_INTEGER },
  })
  const close = system.close.bind(system)
  // No time passes over which streams could be ended one by one.
  system.close = (given) => close({ ...given, drainMs: 0 })
  const clients: TestClient[] = []

  function createClient({ context: ask }: Partial<TestClientOptions<Ctx>> = {}): TestClient {
    // Whatever was recorded before is older than anything that this client reads.
    clock.tick()
    const createdAt = clock.now()
    const environment = new TestEnvironment(activity)
    const transport = createMemoryTransport({
      // Without `context` nothing is known of Ctx, so undefined is one.
      respond: (path, body) => system.respond(toRequest(path, body), () => ask?.() as Ctx),
      activity,
      ageMs: () => clock.now() - createdAt,
      onEnd: () => environment.streamEnded(),
    })
    const client = new WatchedClient({ client: createConnection({ transport, environment }), activity })
    clients.push(client)
    return client
  }

  return {
    system,
    client: createClient({ ...(context && { context }) } as Partial<TestClientOptions<Ctx>>),
    createClient: (...[given]) => createClient(given),
    async close() {
      for (const client of clients) client.close()
      await system.close()
    },
  }
}

function toRequest(path: string, body: string): HandlerRequest {
  return {
    method: 'POST',
    path,
    host: undefined,
    header: (name) => (name === 'content-type' ? 'application/json' : undefined),
    readBody: () => Promise.resolve(body),
  }
}

/** Lets time pass with each invalidation, so that whatever is recorded has a moment of its own. */
function watchedRegistry(registry: TagRegistry, clock: TestClock, activity: Activity): TagRegistry {
  return {
    record(scope, tags) {
      clock.tick()
      return activity.during(registry.record(scope, tags))
    },
    since: (scope, after) => registry.since(scope, after),
    head: (scope) => registry.head(scope),
    subscribe: (scope, listener) => registry.subscribe(scope, listener),
    close: () => registry.close(),
  }
}
