import { createFastifyPlugin } from '@query-tags/adapter-fastify'
import { fastify } from 'fastify'
import { BASE, type StartApp } from './app.ts'

export const start: StartApp = async (system) => {
  const app = fastify()
  app.register(createFastifyPlugin(system), { prefix: BASE })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  return { port: Number(new URL(address).port), close: () => app.close() }
}
