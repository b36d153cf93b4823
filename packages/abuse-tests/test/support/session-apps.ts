import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { node } from '@elysiajs/node'
import { serve } from '@hono/node-server'
import { Router } from '@koa/router'
import { createElysiaPlugin } from '@query-tags/adapter-elysia'
import { createExpressMiddleware } from '@query-tags/adapter-express'
import { createFastifyPlugin } from '@query-tags/adapter-fastify'
import { createHonoMiddleware } from '@query-tags/adapter-hono'
import { createKoaMiddleware } from '@query-tags/adapter-koa'
import type { TagInvalidationSystem } from '@query-tags/server'
import { Elysia } from 'elysia'
import express from 'express'
import { fastify } from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'

export const BASE = '/api/invalidator'

export interface Ctx {
  readonly userId: string
}

/** Where auth middleware of the framework puts it. An app that relies on it does not expect that it is missing. */
export interface User {
  readonly id: string
}

export interface SessionApp {
  readonly url: string
  close(): Promise<unknown>
}

interface AppOptions {
  readonly system: TagInvalidationSystem<Ctx>
  /** Whether the app has its auth middleware; a forgotten line leaves it out. */
  readonly hasAuth: boolean
  /** What the app makes of the user that the middleware found. */
  readonly toCtx: (user: User) => Ctx
}

/** The same app on each framework: auth middleware, which takes the user from a bearer token, and the system. */
export const APPS: Readonly<Record<string, (options: AppOptions) => Promise<SessionApp>>> = {
  express({ system, hasAuth, toCtx }) {
    const app = express()
    if (hasAuth) {
      app.use((req, _res, next) => {
        Object.assign(req, { user: userOf(req.headers.authorization) })
        next()
      })
    }
    const context = (req: express.Request) => toCtx((req as unknown as { user: User }).user)
    app.use(BASE, createExpressMiddleware(system, { context }))
    return listen(app)
  },

  hono({ system, hasAuth, toCtx }) {
    const app = new Hono<{ Variables: { user: User } }>()
    if (hasAuth) {
      app.use(async (c, next) => {
        c.set('user', userOf(c.req.header('authorization')))
        await next()
      })
    }
    app.use(`${BASE}/*`, createHonoMiddleware(system, { context: (c) => toCtx(c.get('user') as User) }))
    return new Promise((resolve) => {
      const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
        resolve({ url: urlOf(port), close: () => new Promise((closed) => void server.close(closed)) })
      })
    })
  },

  async fastify({ system, hasAuth, toCtx }) {
    const app = fastify()
    app.decorateRequest('user')
    if (hasAuth) {
      app.addHook('onRequest', async (request) => {
        Object.assign(request, { user: userOf(request.headers.authorization) })
      })
    }
    const context = (request: unknown) => toCtx((request as { user: User }).user)
    app.register(createFastifyPlugin(system, { context }), { prefix: BASE })
    return { url: await app.listen({ port: 0, host: '127.0.0.1' }), close: () => app.close() }
  },

  koa({ system, hasAuth, toCtx }) {
    const app = new Koa()
    if (hasAuth) {
      app.use((ctx, next) => {
        ctx.state['user'] = userOf(ctx.get('authorization'))
        return next()
      })
    }
    const router = new Router()
    router.all(`${BASE}{/*path}`, createKoaMiddleware(system, { context: (ctx) => toCtx(ctx.state['user'] as User) }))
    app.use(router.routes())
    const handle = app.callback()
    return listen((request, response) => void handle(request, response))
  },

  elysia({ system, hasAuth, toCtx }) {
    const app = new Elysia({ adapter: node() })
    if (hasAuth) app.derive(({ headers }) => ({ user: userOf(headers['authorization']) }))
    app.use(createElysiaPlugin(system, { prefix: BASE, context: ({ user }: { user: User }) => toCtx(user) }))
    return new Promise((resolve) => {
      app.listen({ port: 0, hostname: '127.0.0.1' }, (server) => {
        // What listens on Node. `app.stop()` throws there.
        const { raw } = server as unknown as { raw: NodeListener }
        void raw.ready().then(() => resolve({ url: raw.url.replace(/\/$/, ''), close: () => raw.close() }))
      })
    })
  },
}

interface NodeListener {
  readonly url: string
  ready(): Promise<unknown>
  close(): Promise<void>
}

/** A token is the name of its user: these tests are not about tokens. */
function userOf(authorization: string | undefined): User {
  return { id: authorization!.replace(/^Bearer /, '') }
}

/** A real server on a free port. */
export async function listen(listener: RequestListener): Promise<SessionApp> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: urlOf((server.address() as AddressInfo).port),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}`
}
