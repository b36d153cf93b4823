import type { Receipt } from '@query-tags/core'
import { createTagInvalidationSystem, type ContextOptions, type TagInvalidationSystem } from '@query-tags/server'
import { describe, expectTypeOf, it } from 'vitest'

interface Ctx {
  readonly userId: string
}

function adapt<C>(_: TagInvalidationSystem<C>, ...[options]: ContextOptions<C, [req: { user: string }]>): unknown {
  return options
}

describe('the context of a system', () => {
  it('may be left out where none was declared', () => {
    const system = createTagInvalidationSystem()

    expectTypeOf(system).toEqualTypeOf<TagInvalidationSystem>()
    system.createAPIHandler()
    system.createAPIHandler({ basePath: '/x' })
    void system.handleControl({})
  })

  it('is inferred from resolveScope, and then required everywhere', () => {
    const system = createTagInvalidationSystem({ resolveScope: (ctx: Ctx) => ({ kind: 'user', id: ctx.userId }) })

    expectTypeOf(system).toEqualTypeOf<TagInvalidationSystem<Ctx>>()
    system.createAPIHandler({ context: () => ({ userId: '7' }) })
    system.createAPIHandler({
      context: async (request) => ({ userId: request.headers.get('x') ?? '' }),
      basePath: '/x',
    })
    void system.handleControl({}, { userId: '7' })
    // @ts-expect-error context is missing
    system.createAPIHandler()
    // @ts-expect-error context is missing
    system.createAPIHandler({ basePath: '/x' })
    // @ts-expect-error context makes something else
    system.createAPIHandler({ context: () => ({ name: 'x' }) })
    // @ts-expect-error the context is missing
    void system.handleControl({})
  })

  it('can be declared without resolveScope', () => {
    const system = createTagInvalidationSystem<Ctx>()

    expectTypeOf(
      system.createAPIHandler({ context: () => ({ userId: '7' }) }),
    ).returns.resolves.toEqualTypeOf<Response>()
    // @ts-expect-error context is missing
    system.createAPIHandler()
  })

  it('may be made of what the framework passes beside the request, whose type the handler then asks for', () => {
    const system = createTagInvalidationSystem<Ctx>()
    const handler = system.createAPIHandler({ context: (_request, { userId }: Ctx) => ({ userId }) })
    const request = new Request('http://localhost/api/invalidator')

    expectTypeOf(handler(request, { userId: '7' })).resolves.toEqualTypeOf<Response>()
    // @ts-expect-error the second argument is missing
    void handler(request)
    // @ts-expect-error it is something else
    void handler(request, { name: 'x' })
    const untyped = createTagInvalidationSystem().createAPIHandler({ context: (_request, native) => native })
    void untyped(request)
    void untyped(request, { anything: true })
  })

  it('may expire, and nothing else passes for scopes', () => {
    createTagInvalidationSystem({
      resolveScope: (ctx: Ctx) => ({ scopes: { kind: 'user', id: ctx.userId }, expiresAt: new Date() }),
    })
    createTagInvalidationSystem({ resolveScope: () => ({ scopes: [{ kind: 'user' }], expiresAt: 1_800_000_000_000 }) })
    // @ts-expect-error without an expiry the scopes are returned as they are
    createTagInvalidationSystem({ resolveScope: () => ({ scopes: [{ kind: 'user' }] }) })
    // @ts-expect-error a user who was not loaded is in no scope
    createTagInvalidationSystem({ resolveScope: () => undefined })
  })

  it('is required by an adapter with the same words', () => {
    expectTypeOf(adapt).toBeCallableWith(createTagInvalidationSystem())
    adapt(createTagInvalidationSystem<Ctx>(), { context: (req) => ({ userId: req.user }) })
    // @ts-expect-error context is missing
    adapt(createTagInvalidationSystem<Ctx>())
  })
})

describe('invalidation', () => {
  it('takes tags and a scope, and gives a receipt', () => {
    const system = createTagInvalidationSystem()

    expectTypeOf(system.invalidateTags({ tags: [['a']] })).resolves.toEqualTypeOf<Receipt>()
    // @ts-expect-error a tag is an array or comes from a contract
    void system.invalidateTags({ tags: ['a'] })
    // @ts-expect-error a tag is not empty
    void system.invalidateTags({ tags: [[]] })
    // @ts-expect-error a user who was not loaded is not the global scope
    void system.invalidateTags({ tags: [['a']], scope: undefined })
  })

  it('is ended for a scope by disconnect, which has no default', () => {
    const system = createTagInvalidationSystem()

    expectTypeOf(system.disconnect({ scope: { kind: 'user', id: '7' } })).resolves.toBeVoid()
    // @ts-expect-error whose streams?
    void system.disconnect()
    // @ts-expect-error a user who was not loaded
    void system.disconnect({ scope: undefined })
  })

  it('keeps the result of the work', () => {
    const system = createTagInvalidationSystem()

    expectTypeOf(system.invalidateAfter(() => 5)).resolves.toBeNumber()
    expectTypeOf(system.invalidateAfter(async () => ({ id: '7' }))).resolves.toEqualTypeOf<{ id: string }>()
  })
})
