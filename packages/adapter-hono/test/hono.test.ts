import { createServer as createHttp2Server } from 'node:http2'
import { serve } from '@hono/node-server'
import { BASE, describeAdapter, PAGE_ORIGIN, type StartApp } from '@query-tags/adapter-conformance'
import { createHonoMiddleware } from '@query-tags/adapter-hono'
import { Hono as Hono4 } from 'hono'
import { Hono as Hono40 } from 'hono-4-0'
import { compress } from 'hono/compress'
import { cors } from 'hono/cors'

const start =
  (Hono: typeof Hono4): StartApp =>
  ({ system, context, nested, parsesBodies, cors: usesCors, http2, onError }) => {
    const app = new Hono()
    app.use(compress())
    if (usesCors) app.use(cors({ origin: PAGE_ORIGIN, credentials: true }))
    if (parsesBodies) {
      app.use(async (c, next) => {
        if (c.req.method === 'POST') await c.req.json()
        await next()
      })
    }
    const middleware = createHonoMiddleware(system, { context: (c) => context(c.req.header('x-user')) })
    if (nested) app.route('/outer/:tenant', new Hono().basePath('/api').use('/invalidator/*', middleware))
    else app.use(`${BASE}/*`, middleware)
    app.onError((error, c) => {
      onError(error)
      return c.text('', 500)
    })

    return new Promise((resolve) => {
      const options = { fetch: app.fetch, port: 0, hostname: '127.0.0.1' }
      const server = serve(http2 ? { ...options, createServer: createHttp2Server } : options, ({ port }) => {
        resolve({ port, close: () => new Promise((closed) => void server.close(() => closed())) })
      })
    })
  }

describeAdapter('hono 4', start(Hono4))
describeAdapter('hono 4.0', start(Hono40 as unknown as typeof Hono4))
