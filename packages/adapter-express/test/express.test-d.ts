import { createExpressMiddleware } from '@query-tags/adapter-express'
import { createTagInvalidationSystem } from '@query-tags/server'
import express, { type Request, type RequestHandler } from 'express'
import { expectTypeOf, it } from 'vitest'

const app = express()

it('needs no context for a system without one', () => {
  expectTypeOf(createExpressMiddleware(createTagInvalidationSystem())).toEqualTypeOf<RequestHandler>()
})

it('needs the context that the system declares, made of the request', () => {
  const system = createTagInvalidationSystem({
    resolveScope: (ctx: { userId: string }) => ({ kind: 'user', id: ctx.userId }),
  })

  app.use('/live', createExpressMiddleware(system, { context: (req) => ({ userId: req.ip ?? '' }) }))
  app.use('/live', createExpressMiddleware(system, { context: async (req) => ({ userId: req.ip ?? '' }) }))
  createExpressMiddleware(system, {
    context: (req) => {
      expectTypeOf(req).toEqualTypeOf<Request>()
      return { userId: '7' }
    },
  })
  // @ts-expect-error context is missing
  createExpressMiddleware(system)
  // @ts-expect-error context makes something else
  createExpressMiddleware(system, { context: () => ({ name: '7' }) })
})
