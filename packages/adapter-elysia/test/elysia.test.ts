import { cors } from '@elysiajs/cors'
import { node } from '@elysiajs/node'
import { BASE, describeAdapter, PAGE_ORIGIN, type StartApp } from '@query-tags/adapter-conformance'
import { createElysiaPlugin } from '@query-tags/adapter-elysia'
import { Elysia } from 'elysia'

// Elysia's listener on Node waits for the end of the process, and here are many.
process.setMaxListeners(0)

const start: StartApp = ({ system, context, nested, cors: usesCors, onError }) => {
  const app = new Elysia({ adapter: node() })
    .onError(({ error }) => {
      onError(error)
    })
    .derive(({ headers }) => ({ user: headers['x-user'] }))
  if (usesCors) app.use(cors({ origin: PAGE_ORIGIN, credentials: true }))
  const plugin = createElysiaPlugin(system, {
    prefix: BASE,
    context: ({ user }: { user: string | undefined }) => context(user),
  })
  if (nested) app.use(new Elysia({ prefix: '/outer/:tenant' }).use(plugin))
  else app.use(plugin)

  return new Promise((resolve) => {
    app.listen({ port: 0, hostname: '127.0.0.1' }, (server) => {
      // What listens on Node. `app.stop()` throws there.
      const { raw } = server as unknown as { raw: NodeListener }
      void raw.ready().then(() => {
        resolve({ port: Number(new URL(raw.url).port), close: () => raw.close() })
      })
    })
  })
}

describeAdapter('elysia 1 on Node', start, {
  http2: '@elysiajs/node speaks it with TLS only',
  'body-parser': 'Elysia parses in the routes, and ours do not',
})

interface NodeListener {
  readonly url: string
  ready(): Promise<unknown>
  close(): Promise<void>
}
