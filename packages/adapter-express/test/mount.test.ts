import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createExpressMiddleware } from '@query-tags/adapter-express'
import { createTagInvalidationSystem, type SystemOptions, type TagInvalidationSystem } from '@query-tags/server'
import cors from 'cors'
import express5, { type Express, type RequestHandler } from 'express'
import express4 from 'express-4'
import { afterEach, describe, expect, it } from 'vitest'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function listen(app: Express): Promise<string> {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function createSystem<Ctx = unknown>(options?: SystemOptions<Ctx>): TagInvalidationSystem<Ctx> {
  const system = createTagInvalidationSystem(options)
  cleanups.push(() => system.close({ deadlineMs: 200 }))
  return system
}

interface Opened {
  readonly response: Response
  /** Reads until the text has this in it, and returns all text so far. */
  until(part: string): Promise<string>
  abort(): void
}

async function open(url: string, init: RequestInit = {}): Promise<Opened> {
  const abort = new AbortController()
  const stop = (): void => {
    abort.abort()
  }
  cleanups.push(stop)
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'accept-encoding': 'gzip, br' },
    body: JSON.stringify({ v: 1, ageMs: 0, watcher: 'w', watch: [['todos']] }),
    signal: abort.signal,
    ...init,
  })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  return {
    response,
    async until(part) {
      while (!text.includes(part)) {
        const { done, value } = await reader.read()
        if (done) throw new Error(`The stream ended after ${text}`)
        text += value
      }
      return text
    },
    abort: stop,
  }
}

const parsers: [string, ((express: typeof express5) => RequestHandler) | undefined][] = [
  ['no parser', undefined],
  ['express.json()', (express) => express.json()],
  ['express.text()', (express) => express.text({ type: '*/*' })],
  ['express.raw()', (express) => express.raw({ type: '*/*' })],
  ['a parser of something else', (express) => express.urlencoded({ extended: false })],
]

const json = { 'content-type': 'application/json' }

describe.each([
  ['Express 5', express5],
  ['Express 4', express4],
])('%s', (_, express) => {
  it("runs the SPA guide's server as written", async () => {
    const system = createSystem()
    const app = express()
    app.use(cors())
    app.use(express.json())
    app.use('/api/invalidator', createExpressMiddleware(system))
    // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- as the guide has it
    app.post('/api/todos', async (req, res) => {
      await system.invalidateTags({ tags: [['todos']] })
      res.status(201).json(req.body)
    })
    const url = await listen(app)
    const stream = await open(`${url}/api/invalidator`)
    await stream.until('event: hello')

    const added = await fetch(`${url}/api/todos`, { method: 'POST', body: '{"id":1}', headers: json })

    expect(added.status).toBe(201)
    expect(await stream.until('event: invalidate')).toContain('"tags":[["todos"]]')
    expect(stream.response.headers.get('access-control-allow-origin')).toBe('*')
    expect(stream.response.headers.get('cache-control')).toBe('private, no-store, no-transform')
  })

  it.each(['/', '/live', '/a/b/c', '/api/v1.0'])('serves below the mount "%s"', async (path) => {
    const system = createSystem()
    const app = express()
    app.use(path, createExpressMiddleware(system))
    const base = `${await listen(app)}${path.replace(/\/$/, '')}`

    const stream = await open(`${base}/`)
    const hello = await stream.until('event: hello')
    const connection = /"connection":"(\w+)"/.exec(hello)?.[1]
    const body = JSON.stringify({ connection, watcher: 'w', n: 1, add: [['b']], remove: [], from: {} })
    const watched = await fetch(`${base}/watch?x=1`, { method: 'POST', body, headers: json })

    expect(await watched.json()).toEqual({ n: 1, expired: true })
  })

  it('serves in nested routers, and leaves other paths to the app', async () => {
    const system = createSystem()
    const app = express()
    const [outer, inner] = [express.Router(), express.Router()]
    inner.use('/invalidator', createExpressMiddleware(system))
    inner.get('/other', (__, res) => {
      res.send('other')
    })
    outer.use('/v1', inner)
    app.use('/api/:tenant', outer)
    const url = await listen(app)

    expect(await (await open(`${url}/api/acme/v1/invalidator`)).until('event: hello')).toContain('"heartbeatMs":8000')
    expect(await (await fetch(`${url}/api/acme/v1/other`)).text()).toBe('other')
    expect((await fetch(`${url}/api/acme/v1/invalidator/x`)).status).toBe(404)
  })

  it.each(parsers)('reads the body after %s', async (__, parser) => {
    const app = express()
    const system = createSystem()
    if (parser) app.use(parser(express))
    app.use('/live', createExpressMiddleware(system))

    await (await open(`${await listen(app)}/live`)).until('event: hello')

    expect(system.stats().watchedTags).toBe(1)
  })

  it('looks at the content type even if a parser took the body for JSON', async () => {
    const app = express()
    app.use(express.json({ type: '*/*' }))
    app.use('/live', createExpressMiddleware(createSystem()))
    const body = JSON.stringify({ v: 1, ageMs: 0, watcher: 'w', watch: '*' })
    const headers = { 'content-type': 'text/plain' }

    const response = await fetch(`${await listen(app)}/live`, { method: 'POST', body, headers })

    expect(response.status).toBe(415)
    expect(await response.json()).toMatchObject({ code: 'unsupported-media-type' })
  })
})
