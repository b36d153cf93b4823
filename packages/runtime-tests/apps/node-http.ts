import { fromNode, send } from '@query-tags/server/node'
import { BASE, type StartApp } from './app.ts'
import { serveNode } from './serve.ts'

export const start: StartApp = (system) =>
  serveNode(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const path = pathname.startsWith(BASE) ? pathname.slice(BASE.length) : '/not-found'
    send(await system.respond(fromNode(request, { path }), () => undefined), response)
  })
