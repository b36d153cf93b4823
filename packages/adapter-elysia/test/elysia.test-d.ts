import { createElysiaPlugin } from '@query-tags/adapter-elysia'
import { createTagInvalidationSystem } from '@query-tags/server'
import { Elysia, type Context } from 'elysia'
import { expectTypeOf, it } from 'vitest'

const untyped = createTagInvalidationSystem()
const typed = createTagInvalidationSystem({
  resolveScope: (ctx: { userId: string }) => ({ kind: 'user', id: ctx.userId }),
})

it('needs no context for a system without one', () => {
  expectTypeOf(createElysiaPlugin(untyped)).toEqualTypeOf<Elysia>()
})

it('needs the context that the system declares', () => {
  createElysiaPlugin(typed, { context: (c) => ({ userId: c.path }) })
  createElysiaPlugin(typed, { context: async (c) => ({ userId: c.path }) })
  createElysiaPlugin(typed, {
    context: (c) => {
      expectTypeOf(c).toEqualTypeOf<Context>()
      return { userId: '7' }
    },
  })
  // @ts-expect-error context is missing
  createElysiaPlugin(typed)
  // @ts-expect-error context makes something else
  createElysiaPlugin(typed, { context: () => ({ name: '7' }) })
})

it('gets what was derived where its parameter is annotated', () => {
  const plugin = createElysiaPlugin(typed, {
    prefix: '/live',
    context: ({ userId }: { userId: string }) => ({ userId }),
  })
  const app = new Elysia().derive(() => ({ userId: '7' })).use(plugin)

  expectTypeOf(plugin).toEqualTypeOf<Elysia>()
  app.get('/me', ({ userId }) => {
    expectTypeOf(userId).toBeString()
    return userId
  })
})
