import { createFastifyPlugin } from '@query-tags/adapter-fastify'
import { createTagInvalidationSystem } from '@query-tags/server'
import type { FastifyPluginCallback, FastifyRequest } from 'fastify'
import { expectTypeOf, it } from 'vitest'

const untyped = createTagInvalidationSystem()
const typed = createTagInvalidationSystem({
  resolveScope: (ctx: { userId: string }) => ({ kind: 'user', id: ctx.userId }),
})

it('needs no context for a system without one', () => {
  expectTypeOf(createFastifyPlugin(untyped)).toEqualTypeOf<FastifyPluginCallback>()
})

it('needs the context that the system declares', () => {
  createFastifyPlugin(typed, { context: (request) => ({ userId: request.id }) })
  createFastifyPlugin(typed, { context: async (request) => ({ userId: request.id }) })
  createFastifyPlugin(typed, {
    context: (request) => {
      expectTypeOf(request).toEqualTypeOf<FastifyRequest>()
      return { userId: '7' }
    },
  })
  // @ts-expect-error context is missing
  createFastifyPlugin(typed)
  // @ts-expect-error context makes something else
  createFastifyPlugin(typed, { context: () => ({ name: '7' }) })
})
