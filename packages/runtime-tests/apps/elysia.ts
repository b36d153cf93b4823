import { node } from '@elysiajs/node'
import { createElysiaPlugin } from '@query-tags/adapter-elysia'
import { Elysia } from 'elysia'
import { BASE, type StartApp } from './app.ts'
import { Bun, Deno, serveFetch } from './serve.ts'

/** What listens on Node. `app.stop()` throws there. */
interface NodeListener {
  readonly url: string
  ready(): Promise<unknown>
  close(): Promise<void>
}

export const start: StartApp = (system) => {
  const app = new Elysia(Bun || Deno ? {} : { adapter: node() }).use(createElysiaPlugin(system, { prefix: BASE }))
  const served = Deno && serveFetch((request) => app.fetch(request))
  if (served) return served
  return new Promise((resolve) => {
    app.listen({ port: 0, hostname: '127.0.0.1' }, (server) => {
      if (Bun) return resolve({ port: server.port ?? 0, close: () => app.stop() })
      const { raw } = server as unknown as { raw: NodeListener }
      void raw.ready().then(() => {
        resolve({ port: Number(new URL(raw.url).port), close: () => raw.close() })
      })
    })
  })
}
