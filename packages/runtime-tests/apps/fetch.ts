import type { StartApp } from './app.ts'
import { serveFetch } from './serve.ts'

export const start: StartApp = (system) => {
  const app = serveFetch(system.createAPIHandler())
  if (!app) throw new Error('This runtime has no server of web requests')
  return app
}
