import { createExpressMiddleware } from '@query-tags/adapter-express'
import express from 'express'
import { BASE, type StartApp } from './app.ts'
import { serveNode } from './serve.ts'

export const start: StartApp = (system) => {
  const app = express()
  app.use(BASE, createExpressMiddleware(system))
  return serveNode(app)
}
