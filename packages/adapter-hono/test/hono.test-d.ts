import { createHonoMiddleware } from '@query-tags/adapter-hono'
import { createTagInvalidationSystem } from '@query-tags/server'
import { Hono, type Context, type MiddlewareHandler } from 'hono'
import { expectTypeOf, it } from 'vitest'

const untyped = createTagInvalidationSystem()
const typed = createTagInvalidationSystem({
  resolveScope: (ctx: { userId: string }) => ({ kind: 'user', id: ctx.userId }),
})

it('needs no context for a system without one', () => {
  expectTypeOf(createHonoMiddleware(untyped)).toEqualTypeOf<MiddlewareHandler>()
})

it('needs the context that the system declares', () => {
  createHonoMiddleware(typed, { context: (c) => ({ userId: c.req.header('x-user') ?? '' }) })
  createHonoMiddleware(typed, { context: async (c) => ({ userId: c.req.header('x-user') ?? '' }) })
  createHonoMiddleware(typed, {
    context: (c) => {
      expectTypeOf(c).toEqualTypeOf<Context>()
      return { userId: '7' }
    },
  })
  // @ts-expect-error context is missing
  createHonoMiddleware(typed)
  // @ts-expect-error context makes something else
  createHonoMiddleware(typed, { context: () => ({ name: '7' }) })
})

it("knows the app's variables where the context is annotated with its Env", () => {
  interface Env {
    Variables: { userId: string }
  }
  const middleware = createHonoMiddleware(typed, { context: (c: Context<Env>) => ({ userId: c.var.userId }) })

  expectTypeOf(middleware).toEqualTypeOf<MiddlewareHandler<Env>>()
  new Hono<Env>().use('/live/*', middleware)
  // @ts-expect-error there is no such variable
  createHonoMiddleware(typed, { context: (c: Context<Env>) => ({ userId: c.var.user }) })
})
