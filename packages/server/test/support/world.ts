import type { PlainTag, StreamRequest, WatchAnswer, WatchRequest } from '@query-tags/core'
import { createTagInvalidationSystem } from '../../src/create-system.ts'
import type { TagInvalidationSystem } from '../../src/tag-invalidation-system.ts'
import type { Outcome } from '../../src/http/outcome.ts'
import type { HandlerRequest } from '../../src/http/request.ts'
import type { SystemOptions } from '../../src/options.ts'
import { createMemoryRegistry, type MemoryRegistryOptions } from '../../src/registry/memory.ts'
import type { TagRegistry } from '../../src/registry/tag-registry.ts'
import { FakeClock, settle } from './fake-clock.ts'
import { TestRegistry } from './test-registry.ts'
import { openSink, type TestSink } from './test-sink.ts'

export const GLOBAL = '["global",null]'

/** What a test gives of a request; the rest is as our clients send it. */
export interface TestRequest {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export function toRequest({ method = 'POST', path = '', headers = {}, body }: TestRequest): HandlerRequest {
  const all: Record<string, string> = { 'content-type': 'application/json', host: 'app.test', ...headers }
  return { method, path, host: undefined, header: (name) => all[name], readBody: () => Promise.resolve(body) }
}

export interface World<Ctx> {
  readonly clock: FakeClock
  readonly registry: TestRegistry
  /** The same, undisturbed: what another process would have. */
  readonly shared: TagRegistry
  readonly system: TagInvalidationSystem<Ctx>
  readonly errors: { readonly error: unknown; readonly phase: string }[]
  respond(request: TestRequest, ctx?: Ctx): Promise<Outcome>
  /** Opens a stream of the global tag `['a']`, unless the message says otherwise, and waits for its hello. */
  connect(message?: Partial<StreamRequest>, ctx?: Ctx): Promise<TestSink>
  watch(message: WatchMessage, ctx?: Ctx): Promise<WatchAnswer>
  invalidate(...tags: PlainTag[]): Promise<string>
}

export type WatchMessage = Pick<WatchRequest, 'connection' | 'from'> & Partial<WatchRequest>

/** A system on a fake clock, with a registry that can be disturbed. */
export function createWorld<Ctx = unknown>(
  options: SystemOptions<Ctx> & { readonly memory?: MemoryRegistryOptions; readonly seed?: number } = {},
): World<Ctx> {
  const { memory, seed, ...rest } = options
  const clock = new FakeClock(seed)
  const shared = createMemoryRegistry({ clock, ...memory })
  const registry = new TestRegistry(shared)
  const errors: World<Ctx>['errors'] = []
  const onError = (error: unknown, { phase }: { phase: string }): void => {
    errors.push({ error, phase })
  }
  const system = createTagInvalidationSystem<Ctx>({ clock, store: registry, onError, ...rest })

  const respond: World<Ctx>['respond'] = (request, ctx) => system.respond(toRequest(request), () => ctx as Ctx)
  return {
    clock,
    registry,
    shared,
    system,
    errors,
    respond,
    async connect(message, ctx) {
      const body = { v: 1, ageMs: 0, watcher: 'w', watch: [['a']], ...message }
      const sink = openSink(await respond({ body }, ctx))
      await settle()
      return sink
    },
    async watch(message, ctx) {
      const body = { watcher: 'w', n: 1, add: [], remove: [], ...message }
      const outcome = await respond({ path: '/watch', body }, ctx)
      if (outcome.kind !== 'answer' || outcome.status !== 200)
        throw new Error(`${outcome.status} ${JSON.stringify(outcome)}`)
      return JSON.parse(outcome.body!) as WatchAnswer
    },
    async invalidate(...tags) {
      const { at } = await system.invalidateTags({ tags })
      await settle()
      return at
    },
  }
}
