import cors from '@koa/cors'
import { Router } from '@koa/router'
import { BASE, describeAdapter, listen, PAGE_ORIGIN, type StartApp } from '@query-tags/adapter-conformance'
import { createKoaMiddleware } from '@query-tags/adapter-koa'
import Koa3 from 'koa'
import Koa2 from 'koa-2'
import bodyParser from 'koa-bodyparser'
import compress from 'koa-compress'
import mount from 'koa-mount'

type Mount = (base: string, middleware: Koa3.Middleware) => Koa3.Middleware

const withRouter: Mount = (base, middleware) => {
  const router = new Router()
  router.all(`${base}{/*path}`, middleware)
  return router.routes() as unknown as Koa3.Middleware
}

const start =
  (Koa: typeof Koa3, mountAt: Mount): StartApp =>
  ({ system, context, nested, parsesBodies, cors: usesCors, http2, onError }) => {
    const app = new Koa()
    app.on('error', onError)
    app.use(compress())
    if (usesCors) app.use(cors({ origin: PAGE_ORIGIN, credentials: true }))
    if (parsesBodies) app.use(bodyParser())
    const middleware = createKoaMiddleware(system, { context: (ctx) => context(ctx.get('x-user') || undefined) })
    if (nested) app.use(new Router().use('/outer/:tenant', withRouter(BASE, middleware) as never).routes() as never)
    else app.use(mountAt(BASE, middleware))
    return listen(app.callback(), { http2 })
  }

describeAdapter('koa 3 with @koa/router', start(Koa3, withRouter))
describeAdapter('koa 2.15 with koa-mount', start(Koa2, mount))
