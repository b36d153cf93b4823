import { createKoaMiddleware } from '@query-tags/adapter-koa'
import Koa from 'koa'
import mount from 'koa-mount'
import { BASE, type StartApp } from './app.ts'
import { serveNode } from './serve.ts'

export const start: StartApp = (system) => {
  const app = new Koa()
  app.use(mount(BASE, createKoaMiddleware(system)))
  return serveNode(app.callback())
}
