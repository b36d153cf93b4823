import { Router } from '@koa/router'
import { listen } from '@query-tags/adapter-conformance'
import { createKoaMiddleware } from '@query-tags/adapter-koa'
import { createTagInvalidationSystem } from '@query-tags/server'
import Koa, { type Middleware } from 'koa'
import mount from 'koa-mount'
import { expect, it, onTestFinished } from 'vitest'

const live = createKoaMiddleware(createTagInvalidationSystem())

/** Statuses of the stream, of watch, and of a path below that is not served. */
async function statusesOf(base: string, ...middleware: unknown[]): Promise<number[]> {
  const app = new Koa()
  for (const one of middleware) app.use(one as Middleware)
  const running = await listen(app.callback())
  onTestFinished(() => running.close())
  const ask = async (path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${running.port}${base}${path}`, { method: 'OPTIONS' })).status
  return [await ask(''), await ask('/watch'), await ask('/watch/more')]
}

const SERVED = [204, 204, 404]

it('serves on a route of a router with a prefix', async () => {
  const router = new Router({ prefix: '/api' }).all('/live{/*path}', live)

  expect(await statusesOf('/api/live', router.routes())).toEqual(SERVED)
})

it('serves on a route of a router that is itself mounted', async () => {
  const router = new Router().all('/live{/*path}', live)

  expect(await statusesOf('/api/live', mount('/api', router.routes() as never))).toEqual(SERVED)
})

it('serves mounted after a router that has matched and passed on', async () => {
  const router = new Router().all('/api/:path', (_, next) => next())

  expect(await statusesOf('/api/live', router.routes(), mount('/api/live', live))).toEqual(SERVED)
})

it('serves on a route with a parameter of another name', async () => {
  const router = new Router().all('/:tenant/live{/*path}', live)

  expect(await statusesOf('/acme/live', router.routes())).toEqual(SERVED)
})
