import type { Server } from 'node:http'
import process from 'node:process'
import { createHonoMiddleware } from '@query-tags/adapter-hono'
import { Hono } from 'hono'
import { BASE, type StartApp } from './app.ts'
import { closeNode, serveFetch } from './serve.ts'

// The newest needs Node 20.
const isOld = process.versions.node.startsWith('18.')
const { serve } = await (isOld ? import('hono-node-server-1') : import('@hono/node-server'))

export const start: StartApp = (system) => {
  const app = new Hono()
  app.use(`${BASE}/*`, createHonoMiddleware(system))
  return (
    serveFetch(app.fetch) ??
    new Promise((resolve) => {
      const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
        resolve({ port, close: () => closeNode(server as Server) })
      })
    })
  )
}
