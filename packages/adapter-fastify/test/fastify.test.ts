import compress from '@fastify/compress'
import cors from '@fastify/cors'
import { BASE, describeAdapter, PAGE_ORIGIN, type Flags, type StartApp } from '@query-tags/adapter-conformance'
import { createFastifyPlugin } from '@query-tags/adapter-fastify'
import { fastify as fastify5, type FastifyInstance } from 'fastify'
import { fastify as fastify50 } from 'fastify-5-0'

const start =
  (fastify: typeof fastify5): StartApp =>
  async ({ system, context, nested, cors: usesCors, http2, onError }) => {
    // Of another type with http2, which makes no difference to what is used here.
    const app = (http2 ? fastify({ http2: true }) : fastify()) as FastifyInstance
    app.addHook('onError', async (_request, _reply, error) => {
      onError(error)
    })
    await app.register(compress)
    if (usesCors) await app.register(cors, { origin: PAGE_ORIGIN, credentials: true })
    const plugin = createFastifyPlugin(system, { context: (request) => context(request.headers['x-user']?.toString()) })
    if (nested) {
      app.register(
        async (outer) => {
          outer.register(plugin, { prefix: BASE })
        },
        { prefix: '/outer/:tenant' },
      )
    } else {
      app.register(plugin, { prefix: BASE })
    }
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    return { port: Number(new URL(address).port), close: () => app.close() }
  }

const flags: Flags = { 'body-parser': 'Fastify parses in the routes, and ours do not' }

describeAdapter('fastify 5', start(fastify5), flags)
describeAdapter('fastify 5.0', start(fastify50 as unknown as typeof fastify5), flags)
