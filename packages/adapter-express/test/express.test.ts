import { BASE, describeAdapter, listen, PAGE_ORIGIN, type Flags, type StartApp } from '@query-tags/adapter-conformance'
import { createExpressMiddleware } from '@query-tags/adapter-express'
import compression from 'compression'
import cors from 'cors'
import express5, { type ErrorRequestHandler } from 'express'
import express4 from 'express-4'

const start =
  (express: typeof express5): StartApp =>
  ({ system, context, nested, parsesBodies, cors: usesCors, onError }) => {
    const app = express()
    app.use(compression())
    if (usesCors) app.use(cors({ origin: PAGE_ORIGIN, credentials: true }))
    if (parsesBodies) app.use(express.json())
    const middleware = createExpressMiddleware(system, { context: (req) => context(req.get('x-user')) })
    if (nested) app.use('/outer/:tenant', express.Router().use(BASE, middleware))
    else app.use(BASE, middleware)
    const onAppError: ErrorRequestHandler = (error, _req, _res, next) => {
      onError(error)
      next(error)
    }
    app.use(onAppError)
    return listen(app)
  }

const flags: Flags = { http2: 'Express does not speak it' }

describeAdapter('express 5', start(express5), flags)
describeAdapter('express 4.18', start(express4), flags)
