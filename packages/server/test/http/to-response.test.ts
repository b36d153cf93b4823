import { describe, expect, it } from 'vitest'
import { toResponse } from '../../src/http/to-response.ts'
import { settle } from '../support/fake-clock.ts'
import { createGate } from '../support/gate.ts'
import { decodeFrames } from '../support/test-sink.ts'
import { createWorld, GLOBAL, type World } from '../support/world.ts'

const EMPTY = { connections: 0, endingConnections: 0, scopes: 0, watchedTags: 0, timers: 0 }
const STREAM = { v: 1, ageMs: 0, watcher: 'w', watch: [['a']] }

async function open(world: World<unknown>, signal?: AbortSignal): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const response = toResponse(await world.respond({ body: STREAM }), signal)
  expect(response.status).toBe(200)
  await settle()
  return response.body!.getReader()
}

async function read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string[]> {
  const { value } = await reader.read()
  return value ? decodeFrames(new TextDecoder().decode(value)).map(({ event }) => event) : ['end']
}

describe('a stream as a web response', () => {
  it('is read frame by frame', async () => {
    const world = createWorld()
    const reader = await open(world)

    await world.invalidate(['a'])

    expect(await read(reader)).toEqual(['hello'])
    expect(await read(reader)).toEqual(['invalidate'])
  })

  it('replays first what was missed, then what came during the read, to a reader that waits for it (guarantee 6)', async () => {
    const world = createWorld()
    const start = await world.invalidate(['before'])
    await world.invalidate(['a'])
    // The registry reads before the second invalidation and answers after it.
    const since = world.registry.since.bind(world.registry)
    const late = createGate()
    world.registry.since = async (scope, after) => {
      const missed = await since(scope, after)
      await late.opened
      return missed
    }
    const body = { ...STREAM, cursor: { [GLOBAL]: start }, watch: '*' }
    const reader = toResponse(await world.respond({ body })).body!.getReader()
    const hello = read(reader)
    await settle()
    await world.invalidate(['b'])

    late.open()
    await settle()

    expect(await hello).toEqual(['hello'])
    const { value: first } = await reader.read()
    const { value: second } = await reader.read()
    const text = new TextDecoder().decode(first) + new TextDecoder().decode(second)
    expect(decodeFrames(text).map(({ data }) => data)).toMatchObject([{ tags: [['a']] }, { tags: [['b']] }])
  })

  it('takes no more than its queue from the connection while nobody reads (guarantee 10)', async () => {
    const world = createWorld()
    const reader = await open(world)
    for (let i = 0; i < 1000; i++) await world.invalidate(['a'], ['x'.repeat(500)])

    const events: string[] = []
    for (let chunk = await read(reader); events.length < 60; chunk = await read(reader)) {
      events.push(...chunk)
      if (world.system.stats().backlogBytes === 0 && events.length > 20) break
    }

    expect(events.length).toBeLessThan(50)
    await world.invalidate(['a'])
    expect(await read(reader)).toEqual(['invalidate'])
  })

  it('leaves nothing behind when it is cancelled (guarantee 13)', async () => {
    const world = createWorld()
    for (let i = 0; i < 200; i++) await (await open(world)).cancel()

    expect(world.system.stats()).toMatchObject(EMPTY)
  })

  it('leaves nothing behind when the request is aborted (guarantee 13)', async () => {
    const world = createWorld()
    for (let i = 0; i < 200; i++) {
      const abort = new AbortController()
      const reader = await open(world, abort.signal)
      await read(reader)
      abort.abort()
      // No error: runtimes would log it, for every client that leaves.
      expect(await read(reader)).toEqual(['end'])
    }

    expect(world.system.stats()).toMatchObject(EMPTY)
  })

  it('leaves nothing behind when both happen, or the client had gone before', async () => {
    const world = createWorld()
    const abort = new AbortController()
    const reader = await open(world, abort.signal)
    await reader.cancel()
    abort.abort()

    const late = toResponse(await world.respond({ body: STREAM }), abort.signal)

    expect(late.body).toBeNull()
    expect(world.system.stats()).toMatchObject(EMPTY)
  })

  it('ends with the system', async () => {
    const world = createWorld()
    const reader = await open(world)
    await read(reader)
    const reading = read(reader)

    await world.system.close()

    expect(await reading).toEqual(['bye'])
    expect(await read(reader)).toEqual(['end'])
  })

  it('is cut off when nobody fetches its end', async () => {
    const world = createWorld()
    const reader = await open(world)
    const closing = world.system.close()
    await world.clock.advance(1500)
    await closing

    expect(world.system.stats()).toMatchObject(EMPTY)
    await expect(reader.read()).rejects.toThrow('cut off')
  })

  it('is cut off when nobody reads for the stall limit', async () => {
    const world = createWorld({ maxStreamMs: null })
    const reader = await open(world)
    for (let i = 0; i < 50; i++) await world.invalidate(['a'], ['x'.repeat(900)])

    await world.clock.advance(30_000)

    expect(world.system.stats()).toMatchObject(EMPTY)
    await expect(reader.read()).rejects.toThrow('cut off')
  })
})

function ask(url: string, init?: RequestInit): Request {
  return new Request(url, init)
}

describe('a handler of web requests', () => {
  it.each([
    ['http://app.test/api/invalidator', 200],
    ['http://app.test/api/invalidator/', 200],
    ['http://app.test/api/invalidator?x=1', 200],
    ['http://app.test/api/invalidator/other', 404],
    ['http://app.test/api/invalidators', 404],
    ['http://app.test/api', 404],
  ])('serves below its base path: %s', async (url, status) => {
    const handler = createWorld().system.createAPIHandler()

    expect((await handler(ask(url, { method: 'HEAD' }))).status).toBe(status)
  })

  it.each(['/', '/live', '/live/'])('can be mounted at "%s"', async (basePath) => {
    const handler = createWorld().system.createAPIHandler({ basePath })
    const base = `http://app.test${basePath.replace(/\/$/, '')}`

    expect((await handler(ask(`${base}/`, { method: 'HEAD' }))).status).toBe(200)
    expect((await handler(ask(`${base}/watch`, { method: 'OPTIONS' }))).headers.get('allow')).toBe('POST, OPTIONS')
  })

  it('refuses a base path that is none', () => {
    expect(() => createWorld().system.createAPIHandler({ basePath: 'api' })).toThrow(/basePath \(api\)/)
  })

  it('hands the request and what came with it to context', async () => {
    const world = createWorld<{ user: string }>({ resolveScope: ({ user }) => ({ kind: 'user', id: user }) })
    const handler = world.system.createAPIHandler({
      context: (request, native) => ({ user: `${request.headers.get('x-user')}${(native as { n: number }).n}` }),
    })

    const response = await handler(ask('http://app.test/api/invalidator', { headers: { 'x-user': 'ada' } }), { n: 1 })

    const { value } = await response.body!.getReader().read()
    expect(new TextDecoder().decode(value)).toContain(String.raw`[\"user\",\"ada1\"]`)
  })

  it('reads the body in pieces, and no further than its limit', async () => {
    const world = createWorld()
    const handler = world.system.createAPIHandler()
    const encoder = new TextEncoder()
    let pulled = 0
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++
        controller.enqueue(encoder.encode('"'.padEnd(1000)))
      },
    })
    const post = (body: BodyInit): Promise<Response> =>
      handler(
        ask('http://app.test/api/invalidator', {
          method: 'POST',
          body,
          headers: { 'content-type': 'application/json' },
          duplex: 'half',
        } as RequestInit),
      )
    const bytes = encoder.encode(JSON.stringify({ ...STREAM, watch: [['ü']] }))
    const bytewise = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
        controller.close()
      },
    })

    expect((await post(endless)).status).toBe(413)
    expect(pulled).toBeLessThan(80)
    expect((await post(bytewise)).status).toBe(200)
    await world.clock.advance(1)
    expect(world.system.stats().watchedTags).toBe(1)
  })

  it('has no body in the answers to HEAD and OPTIONS', async () => {
    const handler = createWorld().system.createAPIHandler()

    for (const method of ['HEAD', 'OPTIONS']) {
      const response = await handler(ask('http://app.test/api/invalidator', { method }))
      expect(await response.text()).toBe('')
    }
  })

  it('refuses a page of another site with JSON', async () => {
    const handler = createWorld().system.createAPIHandler()

    const response = await handler(
      ask('http://app.test/api/invalidator', { headers: { origin: 'https://other.test' } }),
    )

    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ code: 'origin-denied' })
  })
})
