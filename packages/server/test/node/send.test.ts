import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  createTagInvalidationSystem,
  type Stream,
  type SystemOptions,
  type TagInvalidationSystem,
} from '@query-tags/server'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { send } from '../../src/node/send.ts'
import { createGate } from '../support/gate.ts'
import { listen, listenTo, type Listening } from '../support/listen.ts'
import { decodeFrames } from '../support/test-sink.ts'

const STREAM = JSON.stringify({ v: 1, ageMs: 0, watcher: 'w', watch: [['a']] })
const JSON_HEADERS = { 'content-type': 'application/json' }
const EMPTY = { connections: 0, endingConnections: 0, scopes: 0, watchedTags: 0, timers: 0 }

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function start(options?: SystemOptions): Promise<{ system: TagInvalidationSystem; server: Listening }> {
  const system = createTagInvalidationSystem(options)
  const server = await listenTo(system)
  cleanups.push(
    () => server.close(),
    () => system.close({ deadlineMs: 100 }),
  )
  return { system, server }
}

/** A raw socket, so that a test decides when it reads. */
async function open(server: Listening, head: string, body = ''): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1')
  cleanups.push(() => {
    socket.destroy()
    return Promise.resolve()
  })
  await once(socket, 'connect')
  socket.on('error', () => undefined)
  socket.write(
    `${head} HTTP/1.1\r\nHost: localhost\r\n${body && `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`}\r\n${body}`,
  )
  return socket
}

const expectGone = (system: TagInvalidationSystem): Promise<void> =>
  vi.waitFor(() => {
    expect(system.stats()).toMatchObject(EMPTY)
  }, 5000)

describe('a stream over Node', () => {
  it('delivers at once, and ends with the system', async () => {
    const { system, server } = await start()
    const response = await fetch(server.url, { method: 'POST', body: STREAM, headers: JSON_HEADERS })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    const next = async (): Promise<string> => decodeFrames((await reader.read()).value ?? '')[0]?.event ?? 'end'

    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(await next()).toBe('hello')
    await system.invalidateTags({ tags: [['a']] })
    expect(await next()).toBe('invalidate')
    await system.close()
    expect(await next()).toBe('bye')
    expect(await next()).toBe('end')
  })

  it('leaves nothing behind after 200 connects and aborts (guarantee 13)', async () => {
    const { system, server } = await start()

    for (let round = 0; round < 4; round++) {
      const aborts = Array.from({ length: 50 }, () => new AbortController())
      const method = round % 2 ? 'GET' : 'POST'
      const init = method === 'POST' ? { method, body: STREAM, headers: JSON_HEADERS } : { method }
      const responses = await Promise.all(aborts.map(({ signal }) => fetch(server.url, { ...init, signal })))
      await Promise.all(responses.map((response) => response.body!.getReader().read()))
      expect(system.stats().connections).toBe(50)
      for (const abort of aborts) abort.abort()
      await expectGone(system)
    }
  })

  it('leaves nothing behind when the client goes before the first byte', async () => {
    const gate = createGate()
    const { system, server } = await start({ resolveScope: () => gate.opened.then(() => ({ kind: 'user' })) })
    const closed = new Promise((resolve) => {
      server.server.once('request', (_, response) => response.once('close', resolve))
    })
    const socket = await open(server, 'GET /')
    await new Promise((resolve) => server.server.once('request', resolve))
    socket.destroy()
    await closed

    gate.open()

    await expectGone(system)
  })

  it('keeps a reader that stopped reading within bounds, and the others current (guarantee 10)', async () => {
    const { system, server } = await start({ heartbeatMs: 25_000 })
    const sockets = new Set<Socket>()
    server.server.on('connection', (socket) => sockets.add(socket))
    const paused = await open(server, 'GET /')
    await once(paused, 'data')
    paused.pause()
    const serverSide = [...sockets][0]!
    const reading = await open(server, 'POST /', STREAM)
    let text = ''
    reading.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    await vi.waitFor(() => expect(system.stats().connections).toBe(2))

    let most = 0
    for (let i = 0; i < 20_000; i++) {
      await system.invalidateTags({ tags: [['x'.repeat(900), i % 500]] })
      most = Math.max(most, serverSide.writableLength + system.stats().backlogBytes)
      // The kernel's buffers fill only while the event loop turns.
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await system.invalidateTags({ tags: [['a']] })

    await vi.waitFor(() => expect(text).toContain('event: invalidate'))
    expect(most).toBeLessThan(256 * 1024)
    expect(system.stats().resets.overflow).toBe(1)
    let late = ''
    paused.setEncoding('utf8').on('data', (chunk: string) => (late += chunk))
    paused.resume()
    await vi.waitFor(() => expect(late).toContain('"reason":"overflow"'), 5000)
  })

  it('cuts a reader off that does not read for the stall limit (guarantee 13)', async () => {
    const { system, server } = await start({ limits: { writeStallMs: 200 } })
    const socket = await open(server, 'GET /')
    await once(socket, 'data')
    socket.pause()

    for (let i = 0; system.stats().connections > 0 && i < 100_000; i++) {
      await system.invalidateTags({ tags: [['x'.repeat(1000), i]] })
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
    }

    await expectGone(system)
  })

  it('answers HEAD and OPTIONS without a body, and keeps the connection for the next request', async () => {
    const { system, server } = await start()
    const socket = await open(server, 'HEAD /')
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    await vi.waitFor(() => expect(text).toMatch(/\r\n\r\n$/))
    expect(text).toContain('HTTP/1.1 200 OK')
    expect(text.toLowerCase()).toContain('content-type: text/event-stream')
    text = ''

    socket.write('OPTIONS / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await vi.waitFor(() => expect(text).toMatch(/\r\n\r\n$/))

    expect(text).toContain('HTTP/1.1 204 No Content')
    expect(text.toLowerCase()).toContain('allow: get, head, post, options')
    expect(system.stats().connections).toBe(0)
  })
})

describe('a body over Node', () => {
  it('is refused over the limit while it is still being sent, and the process keeps serving', async () => {
    const { server } = await start()
    const socket = await open(server, 'POST /')
    socket.destroy()
    const chunked = connect(server.port, '127.0.0.1')
    cleanups.push(() => Promise.resolve(void chunked.destroy()))
    chunked.on('error', () => undefined)
    let text = ''
    chunked.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    chunked.write(
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
    for (let i = 0; i < 10; i++) chunked.write(`2710\r\n${'x'.repeat(10_000)}\r\n`)

    await vi.waitFor(() => expect(text).toContain('HTTP/1.1 413'))

    expect(text.toLowerCase()).toContain('connection: close')
    expect(text).toContain('"code":"too-large"')
    expect((await fetch(server.url, { method: 'HEAD' })).status).toBe(200)
  })

  it('is refused when it does not arrive in time', async () => {
    const { system, server } = await start({ limits: { bodyTimeoutMs: 50 } })
    const socket = connect(server.port, '127.0.0.1')
    cleanups.push(() => Promise.resolve(void socket.destroy()))
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    socket.write(
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"v":',
    )

    await vi.waitFor(() => expect(text).toContain('HTTP/1.1 408'))

    await expectGone(system)
  })

  it('that never ends because its client left does not stay', async () => {
    const { system, server } = await start()
    const socket = await open(server, 'POST /', '')
    socket.destroy()
    const other = connect(server.port, '127.0.0.1')
    await once(other, 'connect')
    other.write(
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"v":',
    )
    await vi.waitFor(() => expect(system.stats().timers).toBe(1))

    other.destroy()

    await expectGone(system)
  })
})

describe('an outcome over Node', () => {
  it('keeps the headers that were set before, and adds its own', async () => {
    const server = await listen((_, response) => {
      response.setHeader('access-control-allow-origin', 'https://a.test')
      response.setHeader('set-cookie', ['a=1', 'b=2'])
      send({ kind: 'answer', status: 403, headers: { 'content-type': 'application/json' }, body: '{"ü":1}' }, response)
    })
    cleanups.push(() => server.close())

    const response = await fetch(server.url)

    expect(response.status).toBe(403)
    expect(response.headers.get('access-control-allow-origin')).toBe('https://a.test')
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(await response.json()).toEqual({ ü: 1 })
  })

  it('is dropped when the response was answered already', async () => {
    let discarded = 0
    const server = await listen((_, response) => {
      response.end('other')
      send({ kind: 'answer', status: 500, headers: {}, body: null }, response)
      send(
        { kind: 'stream', status: 200, headers: {}, open: vi.fn<Stream['open']>(), discard: () => discarded++ },
        response,
      )
    })
    cleanups.push(() => server.close())

    expect(await (await fetch(server.url)).text()).toBe('other')
    expect(discarded).toBe(1)
  })

  it('flushes each piece where middleware added flush to the response', async () => {
    const { system } = await start()
    let flushed = 0
    const server = await listen((_, response) => {
      Object.assign(response, { flush: () => flushed++ })
      const request = {
        method: 'GET',
        path: '',
        host: undefined,
        header: () => undefined,
        readBody: () => Promise.resolve(''),
      }
      void system
        .respond(request, () => undefined)
        .then((outcome) => {
          send(outcome, response)
        })
    })
    cleanups.push(() => server.close())

    const response = await fetch(server.url)
    await response.body!.getReader().read()

    expect(flushed).toBe(1)
  })
})
