import { createFastifyPlugin } from '@query-tags/adapter-fastify'
import { createTagInvalidationSystem } from '@query-tags/server'
import { fastify } from 'fastify'
import { expect, it } from 'vitest'

it('ends open streams when the app closes, so that the app does close', async () => {
  const system = createTagInvalidationSystem()
  const app = fastify()
  app.register(createFastifyPlugin(system), { prefix: '/live' })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const streams = await Promise.all(Array.from({ length: 10 }, () => fetch(`${address}/live`)))
  const texts = streams.map((stream) => stream.text())

  const began = performance.now()
  await app.close()

  expect(performance.now() - began).toBeLessThan(500)
  for (const text of await Promise.all(texts)) expect(text).toContain('event: bye\ndata: {"reason":"shutdown"')
  expect(system.stats()).toMatchObject({ connections: 0, endingConnections: 0, timers: 0 })
})

it('leaves the parsers and the other routes of the app alone', async () => {
  const app = fastify()
  app.post('/echo', (request, reply) => reply.send(request.body))
  app.register(createFastifyPlugin(createTagInvalidationSystem()), { prefix: '/live' })

  const echo = await app.inject({ method: 'POST', url: '/echo', payload: { some: 'json' } })
  const elsewhere = await app.inject({ url: '/lively' })

  expect(echo.json()).toEqual({ some: 'json' })
  expect(elsewhere.json()).toMatchObject({ statusCode: 404, message: 'Route GET:/lively not found' })
  await app.close()
})
