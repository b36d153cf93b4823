import { encodeFrame, type Frames } from '@query-tags/core'
import type { Binding, InvalidatorClient } from '@query-tags/core/client'
import type { ServerResponse } from 'node:http'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createHTTPInvalidatorClient, type HTTPInvalidatorClientOptions } from '../src/index.ts'
import { sendJson, startRawServer, startStream, type RawServer } from './raw-server.ts'

const GLOBAL = '["global",null]'
const HELLO: Frames['hello'] = {
  v: 1,
  connection: 'c1',
  cursor: { [GLOBAL]: 'e:1' },
  heartbeatMs: 8000,
  retryMs: 10,
  scoped: false,
}

class Listening implements Binding {
  readonly log: string[] = []
  onHello(): void {
    this.log.push('hello')
  }
  onInvalidate({ at }: { readonly at: string }): void {
    this.log.push(`invalidate ${at}`)
  }
  onReset({ reason }: { readonly reason: string }): void {
    this.log.push(`reset ${reason}`)
  }
  onMissed(): void {
    this.log.push('missed')
  }
}

const clients: InvalidatorClient[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

function connect(
  server: Pick<RawServer, 'url'>,
  options: HTTPInvalidatorClientOptions = {},
): { client: InvalidatorClient; log: string[] } {
  const client = createHTTPInvalidatorClient({ basePath: `${server.url}/tags`, ...options })
  clients.push(client)
  const binding = new Listening()
  client.attach(binding)
  return { client, log: binding.log }
}

const hello = (response: ServerResponse, fields: Partial<Frames['hello']> = {}): void => {
  startStream(response)
  response.write(encodeFrame('hello', { ...HELLO, ...fields }))
}

describe('a client over HTTP', () => {
  it('does nothing until it is bound, also where there is neither page nor origin', async () => {
    const fetch = vi.fn<typeof globalThis.fetch>()

    const client = createHTTPInvalidatorClient({ fetch })
    clients.push(client)
    await new Promise((resolve) => setTimeout(resolve, 20))

    expect(client.status).toEqual({ state: 'paused', reason: 'unbound' })
    expect(fetch).not.toHaveBeenCalled()
  })

  it('says which option can’t be right, in place of trying in silence', async () => {
    const onError = vi.fn<(error: unknown) => void>()
    const client = createHTTPInvalidatorClient({ onError })
    clients.push(client)
    client.attach(new Listening())

    await vi.waitFor(() => expect(client.status).toMatchObject({ state: 'waiting', reason: 'invalid-option' }))

    expect(onError).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({
        message: expect.stringContaining('basePath "/api/invalidator" must be an absolute URL') as string,
      }),
    )
  })

  it('resumes after a broken socket where it was, with fresh headers (guarantee 1)', async () => {
    let count = 0
    await using server = await startRawServer(({ response }) => {
      hello(response, { connection: `c${++count}` })
      response.write(encodeFrame('invalidate', { scope: GLOBAL, at: `e:${count + 1}`, tags: [['a']] }))
      if (count === 1) setTimeout(() => response.destroy(), 20)
    })
    let token = 0

    const { log } = connect(server, { headers: () => ({ authorization: `Bearer ${++token}` }) })
    await vi.waitFor(() => expect(server.received).toHaveLength(2), 3000)
    await vi.waitFor(() => expect(log).toEqual(['hello', 'invalidate e:2', 'hello', 'invalidate e:3']))

    expect(server.received.map((one) => one.headers.authorization)).toEqual(['Bearer 1', 'Bearer 2'])
    expect(server.received[1]!.body).toMatchObject({ cursor: { [GLOBAL]: 'e:2' }, replaces: 'c1', first: false })
  })

  it('reopens at once, within retryMs, when the stream came to its end', async () => {
    await using server = await startRawServer(({ response }) => {
      hello(response)
      response.write(encodeFrame('heartbeat', { cursor: { [GLOBAL]: 'e:5' }, verified: true, retryMs: 10 }))
      if (server.received.length === 1) response.end()
    })

    connect(server)
    await vi.waitFor(() => expect(server.received).toHaveLength(2), 400)

    expect(server.received[1]!.body).toMatchObject({ cursor: { [GLOBAL]: 'e:5' } })
  })

  it('finds a black hole within 2.5 heartbeats (guarantee 9)', async () => {
    await using server = await startRawServer(({ response }) => hello(response, { heartbeatMs: 100 }))
    const { client } = connect(server)
    await vi.waitFor(() => expect(client.status.state).toBe('live'))
    const liveAt = performance.now()

    await vi.waitFor(() => expect(client.status).toMatchObject({ state: 'waiting', reason: 'timeout' }), {
      interval: 5,
    })

    expect(performance.now() - liveAt).toBeGreaterThan(200)
    await server.received[0]!.gone
  })

  it('stays live on comments alone', async () => {
    await using server = await startRawServer(({ response }) => {
      hello(response, { heartbeatMs: 60 })
      const timer = setInterval(() => response.write(':\n'), 20)
      response.on('close', () => clearInterval(timer))
    })
    const { client } = connect(server)
    await vi.waitFor(() => expect(client.status.state).toBe('live'))

    await new Promise((resolve) => setTimeout(resolve, 500))

    expect(client.status.state).toBe('live')
    expect(server.received).toHaveLength(1)
  })

  it('drops a stream with an event too long to be ours, and says so', async () => {
    await using server = await startRawServer(({ response }) => {
      hello(response)
      response.write(`data: ${'x'.repeat(2_000_000)}`)
    })
    const onError = vi.fn<(error: unknown) => void>()

    const { client } = connect(server, { onError })
    await vi.waitFor(() => expect(client.status).toMatchObject({ state: 'waiting', reason: 'too-large' }))

    await server.received[0]!.gone
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: 'too-large' }))
  })

  it.each([
    ['a redirect', 302, 'http-302'],
    ['a proxy without a backend', 502, 'http-502'],
    ['a login page', 200, 'http-200'],
  ])('waits, and tries again, on %s', async (_, status, reason) => {
    await using server = await startRawServer(({ response }) => {
      if (server.received.length > 1) return hello(response)
      response.writeHead(status, { location: '/login', 'content-type': 'text/html' }).end('<h1>Sign in</h1>')
    })
    const { client } = connect(server)

    await vi.waitFor(() => expect(client.status).toMatchObject({ state: 'waiting', reason }))
    await vi.waitFor(() => expect(client.status.state).toBe('live'), 3000)

    expect(server.received.map(({ url }) => url)).toEqual(['/tags', '/tags'])
  })

  it('waits a minute when we say that it is not signed in', async () => {
    await using server = await startRawServer(({ response }) =>
      sendJson(response, 401, { code: 'unauthorized', message: 'no' }),
    )
    const { client } = connect(server)

    await vi.waitFor(() => expect(client.status).toMatchObject({ state: 'waiting', reason: 'unauthorized' }))

    const { status } = client
    expect(status.state === 'waiting' && status.retryAt - Date.now()).toBeGreaterThan(55_000)
  })

  it('waits as long as Retry-After says', async () => {
    await using server = await startRawServer(({ response }) =>
      sendJson(response, 503, { code: 'unavailable', message: 'full' }, { 'retry-after': '20' }),
    )
    const { client } = connect(server)

    await vi.waitFor(() => expect(client.status).toMatchObject({ state: 'waiting', reason: 'unavailable' }))

    const { status } = client
    expect(status.state === 'waiting' && status.retryAt - Date.now()).toBeGreaterThan(19_000)
  })

  it('leaves no socket and no timer behind when it is closed (guarantee 13)', async () => {
    await using server = await startRawServer(({ response }) => hello(response))
    const { client } = connect(server)
    await vi.waitFor(() => expect(client.status.state).toBe('live'))
    const timersBefore = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

    client.close()
    await server.received[0]!.gone

    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).toBeLessThan(timersBefore)
  })
})
