import { Refusal, type StreamEvents } from '@query-tags/core/client'
import type { StreamRequest, WatchRequest } from '@query-tags/core'
import { describe, expect, it, vi } from 'vitest'
import { createHTTPTransport, type HTTPTransportOptions } from '../src/http-transport.ts'
import { drip, sendJson, startRawServer, startStream, type RawServer, type Received } from './raw-server.ts'

const REQUEST: StreamRequest = { v: 1, ageMs: 30_000, watcher: 'w', watch: [['a']] }
const WATCH: WatchRequest = { connection: 'c', watcher: 'w', n: 3, add: [['a']], remove: [], from: {} }

interface Opened {
  readonly events: [event: string, data: string][]
  readonly activity: () => number
  /** Resolves with what the stream ended with: nothing, or the error. */
  readonly over: Promise<unknown>
  readonly abort: () => void
}

function open(server: RawServer, options: Partial<HTTPTransportOptions> = {}): Opened {
  const abort = new AbortController()
  const events: Opened['events'] = []
  let count = 0
  const listener: StreamEvents = { onEvent: (event, data) => events.push([event, data]), onActivity: () => count++ }
  const transport = createHTTPTransport({ basePath: `${server.url}/api/invalidator`, ...options })
  const over = transport.open(REQUEST, listener, abort.signal).catch((error: unknown) => error)
  return { events, activity: () => count, over, abort: () => abort.abort() }
}

/** Answers with a stream that ends. */
const streamOf =
  (text: string) =>
  async (request: Received): Promise<void> => {
    startStream(request.response)
    await drip(request.response, text)
    request.response.end()
  }

describe('a request for a stream', () => {
  it('is a POST of JSON that accepts nothing but an event stream', async () => {
    await using server = await startRawServer(streamOf(''))

    await open(server).over

    expect(server.received[0]).toMatchObject({
      method: 'POST',
      url: '/api/invalidator',
      headers: { accept: 'text/event-stream', 'content-type': 'application/json', 'cache-control': 'no-cache' },
      body: REQUEST,
    })
  })

  it('goes to the base path, with or without a slash at its end', async () => {
    await using server = await startRawServer(streamOf(''))

    await open(server, { basePath: `${server.url}/mounted/here//` }).over
    await open(server, { basePath: server.url }).over

    expect(server.received.map(({ url }) => url)).toEqual(['/mounted/here', '/'])
  })

  it('carries the headers of an object, or of a function, which is asked every time and may be async', async () => {
    await using server = await startRawServer(streamOf(''))
    let calls = 0
    const headers = async (): Promise<Record<string, string>> => ({ authorization: `Bearer ${++calls}` })

    await open(server, { headers: { 'x-app': '1' } }).over
    await open(server, { headers: new Headers({ 'x-app': '2' }) }).over
    await open(server, { headers }).over
    await open(server, { headers }).over

    expect(server.received.map((one) => one.headers['x-app'] ?? one.headers.authorization)).toEqual([
      '1',
      '2',
      'Bearer 1',
      'Bearer 2',
    ])
  })

  it('keeps its own content type and accept, whatever the app sets', async () => {
    await using server = await startRawServer(streamOf(''))

    await open(server, { headers: { 'Content-Type': 'text/plain', Accept: '*/*' } }).over

    expect(server.received[0]!.headers).toMatchObject({
      accept: 'text/event-stream',
      'content-type': 'application/json',
    })
  })

  it('is not sent when headers() fails, and says so', async () => {
    await using server = await startRawServer(streamOf(''))

    const error = await open(server, { headers: () => Promise.reject(new Error('no token')) }).over

    expect(error).toMatchObject({ code: 'invalid-option', message: expect.stringContaining('no token') as string })
    expect(server.received).toHaveLength(0)
  })

  it('is not sent to a path where there is no page, and says so', async () => {
    await using server = await startRawServer(streamOf(''))

    const error = await open(server, { basePath: '/api/invalidator' }).over

    expect(error).toMatchObject({
      code: 'invalid-option',
      message: expect.stringMatching(/basePath "\/api\/invalidator" must be an absolute URL/) as string,
    })
  })

  it('goes through the app’s own fetch, with its credentials', async () => {
    await using server = await startRawServer(streamOf(''))
    const fetch = vi.fn<typeof globalThis.fetch>(
      async () => new Response('', { headers: { 'content-type': 'text/event-stream' } }),
    )

    await open(server, { basePath: '/relative', fetch, credentials: 'include' }).over
    await open(server, { basePath: '/relative', fetch }).over

    expect(fetch.mock.calls[0]).toMatchObject([
      '/relative',
      { credentials: 'include', cache: 'no-store', redirect: 'manual' },
    ])
    expect(fetch.mock.calls[1]![1]).not.toHaveProperty('credentials')
  })
})

describe('a stream', () => {
  it('is read one byte at a time as well, with characters cut in two', async () => {
    await using server = await startRawServer(streamOf('event: hello\ndata: {"a":"é漢😀"}\n\ndata: 2\n\n'))

    const { events, over, activity } = open(server)

    expect(await over).toBeUndefined()
    expect(events).toEqual([
      ['hello', '{"a":"é漢😀"}'],
      ['message', '2'],
    ])
    expect(activity()).toBeGreaterThan(10)
  })

  it.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('is read with lines that end in %s', async (_, end) => {
    const lines = ['event: e', 'data: 1', 'data: 2', '', ': comment', 'data: 3', '', ':', '']
    await using server = await startRawServer(streamOf(lines.join(end)))

    const { events, over } = open(server)
    await over

    expect(events).toEqual([
      ['e', '1\n2'],
      ['message', '3'],
    ])
  })

  it('tells of bytes that are no event, such as comments and headers (guarantee 9)', async () => {
    await using server = await startRawServer(({ response }) => startStream(response))

    const { activity, events, abort } = open(server)
    await vi.waitFor(() => expect(activity()).toBe(1))
    server.received[0]!.response.write(': still here\n')
    await vi.waitFor(() => expect(activity()).toBe(2))

    expect(events).toEqual([])
    abort()
  })

  it('resolves at its end, and drops an event that was not complete', async () => {
    await using server = await startRawServer(streamOf('data: 1\n\ndata: 2\n'))

    const { events, over } = open(server)

    expect(await over).toBeUndefined()
    expect(events).toEqual([['message', '1']])
  })

  it('rejects when the socket breaks, and that is no refusal', async () => {
    await using server = await startRawServer(async ({ response }) => {
      startStream(response)
      await drip(response, 'data: 1\n\ndata: 2')
      response.destroy()
    })

    const { events, over } = open(server)

    expect(await over).toBeInstanceOf(TypeError)
    expect(events).toEqual([['message', '1']])
  })

  it('rejects at once when it is aborted, and the socket is freed (guarantee 13)', async () => {
    await using server = await startRawServer(({ response }) => startStream(response))
    const { activity, over, abort } = open(server)
    await vi.waitFor(() => expect(activity()).toBe(1))

    abort()

    expect(await over).toMatchObject({ name: 'AbortError' })
    await server.received[0]!.gone
  })

  it('rejects when one event is too long to be ours', async () => {
    await using server = await startRawServer(({ response }) => {
      startStream(response)
      response.write(`data: ${'x'.repeat(3_000_000)}`)
    })

    const { over, events, abort } = open(server)

    expect(await over).toMatchObject({ code: 'too-large' })
    expect(events).toEqual([])
    abort()
    await server.received[0]!.gone
  })

  it('rejects bytes that are no UTF-8, rather than guess (guarantee 3)', async () => {
    await using server = await startRawServer(({ response }) => {
      startStream(response)
      response.end(Buffer.from([...Buffer.from('data: '), 0xc3, 0x28, 0x0a, 0x0a]))
    })

    const { over, events } = open(server)

    expect(await over).toBeInstanceOf(TypeError)
    expect(events).toEqual([])
  })
})

const refusalBy = async (answer: (request: Received) => void): Promise<Refusal> => {
  await using server = await startRawServer(answer)
  const { over, events } = open(server)
  const error = await over
  expect(error).toBeInstanceOf(Refusal)
  expect(events).toEqual([])
  return error as Refusal
}

describe('a refusal', () => {
  it.each([301, 302, 307, 308])('is a redirect, %i, which is not followed', async (status) => {
    await using server = await startRawServer(({ response }) => {
      response.writeHead(status, { location: '/login' }).end()
    })

    expect(await open(server).over).toMatchObject({ name: 'Refusal', status })
    expect(server.received).toHaveLength(1)
  })

  it('is an answer of another type, such as the HTML of a single-page fallback', async () => {
    const refusal = await refusalBy(({ response }) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>data: x\n\n')
    })

    expect(refusal).toMatchObject({ status: 200, code: undefined })
  })

  it('is an event stream with another status', async () => {
    const refusal = await refusalBy(({ response }) => {
      response.writeHead(203, { 'content-type': 'text/event-stream' }).end('data: x\n\n')
    })

    expect(refusal.status).toBe(203)
  })

  it('has the code of our own error body', async () => {
    const refusal = await refusalBy(({ response }) =>
      sendJson(response, 401, { code: 'unauthorized', message: 'Sign in' }),
    )

    expect(refusal).toMatchObject({ status: 401, code: 'unauthorized', retryAfterMs: undefined })
  })

  it.each([
    ['no JSON', '<h1>401</h1>', 'text/html'],
    ['broken JSON', '{"code":', 'application/json'],
    ['JSON without a code', '{"error":"no"}', 'application/json'],
    ['JSON that is null', 'null', 'application/json'],
    ['JSON that is a list', '[]', 'application/json; charset=utf-8'],
  ])('has no code when the body is %s', async (_, body, type) => {
    const refusal = await refusalBy(({ response }) => {
      response.writeHead(401, { 'content-type': type }).end(body)
    })

    expect(refusal).toMatchObject({ status: 401, code: undefined })
  })

  it('says when to come back', async () => {
    const refusal = await refusalBy(({ response }) =>
      sendJson(response, 503, { code: 'unavailable', message: 'Full' }, { 'retry-after': '7' }),
    )

    expect(refusal).toMatchObject({ status: 503, code: 'unavailable', retryAfterMs: 7000 })
  })
})

const watch = async (answer: (request: Received) => void): Promise<unknown> => {
  await using server = await startRawServer(answer)
  const transport = createHTTPTransport({ basePath: `${server.url}/api/invalidator`, headers: { 'x-app': '1' } })
  const result = await transport.watch(WATCH, new AbortController().signal).catch((error: unknown) => error)
  expect(server.received[0]).toMatchObject({
    method: 'POST',
    url: '/api/invalidator/watch',
    headers: { 'x-app': '1', accept: 'application/json', 'content-type': 'application/json' },
    body: WATCH,
  })
  return result
}

describe('a watch request', () => {
  it('is answered with what was missed', async () => {
    expect(await watch(({ response }) => sendJson(response, 200, { n: 3, tags: [['a'], { path: 'x' }] }))).toEqual({
      n: 3,
      tags: [['a'], { path: 'x' }],
    })
    expect(await watch(({ response }) => sendJson(response, 200, { n: 3, expired: true }))).toEqual({
      n: 3,
      expired: true,
    })
  })

  it.each([[null], [{}], [{ n: 3, tags: [[]] }], [{ n: 3, tags: 'a' }], [{ n: 3, expired: 'yes' }]])(
    'is not answered with %j',
    async (body) => {
      expect(await watch(({ response }) => sendJson(response, 200, body))).toMatchObject({ code: 'malformed-message' })
    },
  )

  it('is refused with the code of the error body', async () => {
    const refused = await watch(({ response }) => sendJson(response, 409, { code: 'not-here', message: 'Elsewhere' }))

    expect(refused).toMatchObject({ name: 'Refusal', status: 409, code: 'not-here' })
  })

  it('is refused by a login page', async () => {
    const refused = await watch(({ response }) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Sign in</h1>')
    })

    expect(refused).toMatchObject({ name: 'Refusal', status: 200 })
  })
})
