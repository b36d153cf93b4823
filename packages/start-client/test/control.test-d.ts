import { createTagInvalidationSystem } from '@query-tags/server'
import { createMiddleware, createServerFn } from '@tanstack/react-start'
import { expectTypeOf, it } from 'vitest'
import type { ControlFunction } from '../src/index.ts'

it('takes a server function around handleControl', () => {
  const system = createTagInvalidationSystem()
  const control = createServerFn({ method: 'POST' })
    .validator((message: unknown) => message)
    .handler(({ data }) => system.handleControl(data))

  expectTypeOf(control).toExtend<ControlFunction>()
})

it('takes one whose middleware says who calls', () => {
  const system = createTagInvalidationSystem<{ userId: string }>({
    resolveScope: ({ userId }) => ({ kind: 'user', id: userId }),
  })
  const session = createMiddleware({ type: 'function' }).server(({ next }) => next({ context: { userId: 'ada' } }))
  const control = createServerFn({ method: 'POST' })
    .middleware([session])
    .validator((message: unknown) => message)
    .handler(({ data, context }) => system.handleControl(data, context))

  expectTypeOf(control).toExtend<ControlFunction>()
})

it('refuses a function that answers something else', () => {
  const control = createServerFn({ method: 'POST' }).handler(() => 'done')

  expectTypeOf(control).not.toExtend<ControlFunction>()
})
