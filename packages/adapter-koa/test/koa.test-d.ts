import { createKoaMiddleware } from '@query-tags/adapter-koa'
import { createTagInvalidationSystem } from '@query-tags/server'
import type { Context, Middleware } from 'koa'
import { expectTypeOf, it } from 'vitest'

const untyped = createTagInvalidationSystem()
const typed = createTagInvalidationSystem({
  resolveScope: (ctx: { userId: string }) => ({ kind: 'user', id: ctx.userId }),
})

it('needs no context for a system without one', () => {
  expectTypeOf(createKoaMiddleware(untyped)).toEqualTypeOf<Middleware>()
})

it('needs the context that the system declares', () => {
  createKoaMiddleware(typed, { context: (ctx) => ({ userId: ctx.get('x-user') }) })
  createKoaMiddleware(typed, { context: async (ctx) => ({ userId: ctx.get('x-user') }) })
  createKoaMiddleware(typed, {
    context: (ctx) => {
      expectTypeOf(ctx).toEqualTypeOf<Context>()
      return { userId: '7' }
    },
  })
  // @ts-expect-error context is missing
  createKoaMiddleware(typed)
  // @ts-expect-error context makes something else
  createKoaMiddleware(typed, { context: () => ({ name: '7' }) })
})
