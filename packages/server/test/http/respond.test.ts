import type { PlainTag, Scope } from '@query-tags/core'
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/http/outcome.ts'
import { createGate } from '../support/gate.ts'
import { settle } from '../support/fake-clock.ts'
import { openSink } from '../support/test-sink.ts'
import { createWorld, type TestRequest } from '../support/world.ts'

const STREAM = { v: 1, ageMs: 0, watcher: 'w', watch: [['a']] }
const WATCH = { connection: 'c', watcher: 'w', n: 1, add: [], remove: [], from: {} }

/** Status and code of an answer. */
function summary(outcome: Outcome): [number, string?] {
  if (outcome.kind === 'stream') {
    outcome.discard()
    return [200]
  }
  const body = outcome.body === null ? undefined : (JSON.parse(outcome.body) as { code?: string })
  return body?.code === undefined ? [outcome.status] : [outcome.status, body.code]
}

/** `Retry-After` of an answer. */
function seconds(outcome: Outcome): number {
  return Number(outcome.headers['retry-after'])
}

/** Whatever came before: the next request is served, and nothing stayed. */
async function expectToServe(world: ReturnType<typeof createWorld>): Promise<void> {
  const sink = openSink(await world.respond({ body: STREAM }))
  await settle()
  expect(sink.events).toEqual(['hello'])
  sink.leave()
  await settle()
  expect(world.system.stats()).toMatchObject({ connections: 0, scopes: 0, watchedTags: 0, timers: 0 })
}

describe('a request is refused', () => {
  const world = createWorld()

  const refused: [what: string, request: TestRequest, status: number, code: string][] = [
    ['at another path', { path: '/other', method: 'GET' }, 404, 'not-found'],
    ['at a path below watch', { path: '/watch/more', body: WATCH }, 404, 'not-found'],
    ['with PUT', { method: 'PUT', body: STREAM }, 405, 'method-not-allowed'],
    ['with DELETE', { method: 'DELETE' }, 405, 'method-not-allowed'],
    ['with GET on watch', { method: 'GET', path: '/watch' }, 405, 'method-not-allowed'],
    ['with HEAD on watch', { method: 'HEAD', path: '/watch' }, 405, 'method-not-allowed'],
    [
      'as a form',
      { body: STREAM, headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'unsupported-media-type',
    ],
    [
      'as text, even if it is JSON and parsed',
      { body: STREAM, headers: { 'content-type': 'text/plain' } },
      415,
      'unsupported-media-type',
    ],
    [
      'as something like JSON',
      { body: STREAM, headers: { 'content-type': 'application/jsonp' } },
      415,
      'unsupported-media-type',
    ],
    ['that says it is too long', { body: STREAM, headers: { 'content-length': '65537' } }, 413, 'too-large'],
    ['that is too long', { body: `"${'x'.repeat(65_536)}"` }, 413, 'too-large'],
    ['that is not JSON', { body: '{"v":1,' }, 400, 'malformed-message'],
    ['that is empty', { body: '' }, 400, 'malformed-message'],
    ['without a body', { body: undefined }, 400, 'malformed-message'],
    ['that is a list', { body: [STREAM] }, 400, 'malformed-message'],
    ['that is null', { body: 'null' }, 400, 'malformed-message'],
    ['without a version', { body: { ...STREAM, v: undefined } }, 400, 'malformed-message'],
    ['of a later version', { body: { ...STREAM, v: 2 } }, 426, 'unsupported-version'],
    ['without an age', { body: { ...STREAM, ageMs: undefined } }, 400, 'malformed-message'],
    ['with a negative age', { body: { ...STREAM, ageMs: -1 } }, 400, 'malformed-message'],
    ['with an endless age', { body: { ...STREAM, ageMs: Infinity } }, 400, 'malformed-message'],
    ['with a watcher that is no word', { body: { ...STREAM, watcher: 'a b' } }, 400, 'malformed-message'],
    ['with a long watcher', { body: { ...STREAM, watcher: 'a'.repeat(65) } }, 400, 'malformed-message'],
    ['with an empty tag', { body: { ...STREAM, watch: [[]] } }, 400, 'malformed-message'],
    ['with a tag that is text', { body: { ...STREAM, watch: ['a'] } }, 400, 'malformed-message'],
    ['with a watch list that is none', { body: { ...STREAM, watch: 'a' } }, 400, 'malformed-message'],
    ['with a cursor that is none', { body: { ...STREAM, cursor: { a: 1 } } }, 400, 'malformed-message'],
    ['with a first that is no boolean', { body: { ...STREAM, first: 1 } }, 400, 'malformed-message'],
    ['with a scope that is none', { body: { ...STREAM, scope: { kind: '' } } }, 400, 'malformed-message'],
    ['with an id to replace that is none', { body: { ...STREAM, replaces: {} } }, 400, 'malformed-message'],
    ['over 2,000 tags', { body: { ...STREAM, watch: Array.from({ length: 2001 }, (_, i) => [i]) } }, 413, 'too-large'],
    [
      'over 48 KiB of tags',
      { body: { ...STREAM, watch: Array.from({ length: 50 }, (_, i) => ['x'.repeat(990), i]) } },
      413,
      'too-large',
    ],
    ['with a wish, without scopes', { body: { ...STREAM, scope: { kind: 'user' } } }, 403, 'scope-denied'],
    ['on watch without a connection', { path: '/watch', body: { ...WATCH, connection: 5 } }, 400, 'malformed-message'],
    ['on watch with a number that is none', { path: '/watch', body: { ...WATCH, n: 0 } }, 400, 'malformed-message'],
    ['on watch without a from', { path: '/watch', body: { ...WATCH, from: undefined } }, 400, 'malformed-message'],
    ['on watch with a bad tag', { path: '/watch', body: { ...WATCH, remove: [{}] } }, 400, 'malformed-message'],
    ['on watch of nothing known', { path: '/watch', body: WATCH }, 409, 'not-here'],
  ]

  it.each(refused)('%s', async (_, request, status, code) => {
    const outcome = await world.respond(request)

    expect(summary(outcome)).toEqual([status, code])
    expect(outcome.headers).toMatchObject({
      'cache-control': 'private, no-store, no-transform',
      'x-content-type-options': 'nosniff',
      'content-type': 'application/json; charset=utf-8',
    })
    await expectToServe(world)
  })

  it('with the methods that are allowed', async () => {
    expect((await world.respond({ method: 'PUT' })).headers['allow']).toBe('GET, HEAD, POST, OPTIONS')
    expect((await world.respond({ method: 'GET', path: '/watch' })).headers['allow']).toBe('POST, OPTIONS')
  })

  it('when its body does not arrive in time', async () => {
    let aborted = false
    const responding = world.system.respond(
      {
        method: 'POST',
        path: '',
        host: undefined,
        header: (name) => (name === 'content-type' ? 'application/json' : undefined),
        readBody: (_, signal) => {
          signal.addEventListener('abort', () => (aborted = true))
          return new Promise(() => undefined)
        },
      },
      () => undefined,
    )

    await world.clock.advance(10_000)

    expect(summary(await responding)).toEqual([408, 'timeout'])
    expect(aborted).toBe(true)
    await expectToServe(world)
  })
})

describe('a request is served', () => {
  it.each(['', '/', '//'])('at the mount, written as "%s"', async (path) => {
    expect(summary(await createWorld().respond({ path, body: STREAM }))).toEqual([200])
  })

  it('as a stream with the headers that proxies and browsers need', async () => {
    const outcome = await createWorld().respond({ method: 'GET' })

    expect(outcome).toMatchObject({
      kind: 'stream',
      status: 200,
      headers: {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'private, no-store, no-transform',
        'x-content-type-options': 'nosniff',
        'x-accel-buffering': 'no',
      },
    })
  })

  it('with a charset in its content type, in any case', async () => {
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' }

    expect(summary(await createWorld().respond({ body: STREAM, headers }))).toEqual([200])
  })

  it('from text, bytes, or what a parser made of it', async () => {
    const world = createWorld()
    const text = JSON.stringify(STREAM)

    for (const body of [text, new TextEncoder().encode(text), Buffer.from(text), STREAM]) {
      expect(summary(await world.respond({ body }))).toEqual([200])
    }
  })

  it('with unknown fields, so that versions can add some', async () => {
    expect(summary(await createWorld().respond({ body: { ...STREAM, later: true } }))).toEqual([200])
  })

  it('on HEAD with the headers of a stream, and takes no place', async () => {
    const world = createWorld()

    expect(await world.respond({ method: 'HEAD' })).toMatchObject({
      kind: 'answer',
      status: 200,
      body: null,
      headers: { 'content-type': 'text/event-stream; charset=utf-8' },
    })
    expect(world.system.stats().connections).toBe(0)
  })

  it('on OPTIONS with what is allowed, without asking who it is', async () => {
    const world = createWorld({ resolveScope: () => null })

    expect(await world.respond({ method: 'OPTIONS' })).toMatchObject({
      status: 204,
      body: null,
      headers: { allow: 'GET, HEAD, POST, OPTIONS' },
    })
  })
})

describe('authorization', () => {
  it('is refused with 401 when resolveScope returns null, on every method (guarantee 11)', async () => {
    const world = createWorld({ resolveScope: () => null })

    expect(summary(await world.respond({ body: STREAM }))).toEqual([401, 'unauthorized'])
    expect(summary(await world.respond({ method: 'GET' }))).toEqual([401, 'unauthorized'])
    expect(summary(await world.respond({ method: 'HEAD' }))).toEqual([401, 'unauthorized'])
    expect(summary(await world.respond({ path: '/watch', body: WATCH }))).toEqual([401, 'unauthorized'])
  })

  it('grants a wish that resolveScope confirms, and no other (guarantee 11)', async () => {
    const world = createWorld({
      resolveScope: () => [
        { kind: 'user', id: '7' },
        { kind: 'team', id: 'x' },
      ],
    })

    expect(summary(await world.respond({ body: { ...STREAM, scope: { kind: 'team', id: 'x' } } }))).toEqual([200])
    expect(summary(await world.respond({ body: { ...STREAM, scope: { kind: 'user', id: '8' } } }))).toEqual([
      403,
      'scope-denied',
    ])
    expect(summary(await world.respond({ body: { ...STREAM, scope: { kind: 'user' } } }))).toEqual([
      403,
      'scope-denied',
    ])
  })

  it.each([
    ['nothing', undefined],
    ['an empty kind', { kind: '' }],
    ['an id that is not there', { kind: 'user', id: undefined }],
    ['an id that is a number', { kind: 'user', id: 7 }],
    ['text', 'user'],
    ['seventeen scopes', Array.from({ length: 17 }, (_, i) => ({ kind: 'k', id: String(i) }))],
    ['null among scopes', [null]],
  ])('is an error of the application when resolveScope returns %s', async (_, scopes) => {
    const world = createWorld({ resolveScope: () => scopes as Scope })

    expect(summary(await world.respond({ body: STREAM }))).toEqual([500, 'internal'])
    expect(world.errors).toMatchObject([{ phase: 'resolve-scope', error: { code: 'invalid-scope' } }])
  })

  it('does not tell what context or resolveScope threw', async () => {
    const world = createWorld<string>({
      resolveScope: () => {
        throw new Error('secret 1')
      },
    })
    const failing = createWorld<string>({ resolveScope: () => ({ kind: 'user' }) })
    const request = {
      method: 'GET',
      path: '',
      host: undefined,
      header: () => undefined,
      readBody: () => Promise.resolve(''),
    }

    const first = await world.respond({ body: STREAM })
    const second = await failing.system.respond(request, () => Promise.reject(new Error('secret 2')))

    expect(summary(first)).toEqual([500, 'internal'])
    expect(summary(second)).toEqual([500, 'internal'])
    expect(JSON.stringify([first, second])).not.toContain('secret')
    expect(world.errors).toMatchObject([{ phase: 'resolve-scope' }])
    expect(failing.errors).toMatchObject([{ phase: 'context' }])
  })

  it('survives an onError that throws', async () => {
    const world = createWorld({
      resolveScope: () => Promise.reject(new Error('a')),
      onError: () => {
        throw new Error('b')
      },
    })

    expect(summary(await world.respond({ body: STREAM }))).toEqual([500, 'internal'])
  })

  it('puts everyone in the global scope, and each scope in once', async () => {
    const world = createWorld({ resolveScope: () => [{ kind: 'user' }, { kind: 'user' }, { kind: 'global' }] })

    const sink = await world.connect()

    expect(Object.keys(sink.hello.cursor)).toEqual(['["global",null]', '["user",null]'])
  })

  it('admits with an empty list of scopes to the global one', async () => {
    const sink = await createWorld({ resolveScope: () => [] }).connect()

    expect(Object.keys(sink.hello.cursor)).toEqual(['["global",null]'])
  })
})

describe('limits', () => {
  it('refuse one connection too many with 503 and a spread Retry-After, and throw out nobody', async () => {
    const world = createWorld({ limits: { maxConnections: 2 } })
    const sinks = [await world.connect(), await world.connect()]

    const outcomes = await Promise.all(Array.from({ length: 50 }, () => world.respond({ body: STREAM })))

    expect(outcomes.every((outcome) => summary(outcome).join() === '503,unavailable')).toBe(true)
    expect(outcomes.every((outcome) => seconds(outcome) >= 5 && seconds(outcome) <= 30)).toBe(true)
    expect(new Set(outcomes.map(seconds)).size).toBeGreaterThan(10)
    expect(sinks.every((sink) => !sink.isEnded)).toBe(true)
    sinks[0]!.leave()
    await settle()
    expect(summary(await world.respond({ body: STREAM }))).toEqual([200])
  })

  it('count places from admission, so that simultaneous requests can not exceed them', async () => {
    const world = createWorld({ limits: { maxConnections: 3 } })

    const outcomes = await Promise.all(Array.from({ length: 10 }, () => world.respond({ body: STREAM })))

    expect(outcomes.filter(({ kind }) => kind === 'stream')).toHaveLength(3)
  })

  it('refuse one of a user too many with 429, and nobody else', async () => {
    const world = createWorld<string>({
      resolveScope: (id) => [{ kind: 'user', id }, { kind: 'team' }],
      limits: { maxConnectionsPerScope: 2 },
    })
    const first = await world.connect({}, '7')
    await world.connect({}, '7')

    const third = await world.respond({ body: STREAM }, '7')

    expect(summary(third)).toEqual([429, 'too-many-requests'])
    expect(seconds(third)).toBeGreaterThanOrEqual(5)
    expect(summary(await world.respond({ body: STREAM }, '8'))).toEqual([200])
    first.leave()
    await settle()
    expect(summary(await world.respond({ body: STREAM }, '7'))).toEqual([200])
  })

  it('have none per scope without resolveScope', async () => {
    const world = createWorld({ limits: { maxConnectionsPerScope: 1 } })

    await world.connect()

    expect((await world.connect()).events).toEqual(['hello'])
  })

  it('refuse one authorization too many with 503', async () => {
    const gate = createGate()
    const world = createWorld({
      limits: { maxAuthorizations: 1 },
      resolveScope: () => gate.opened.then((): Scope => ({ kind: 'user' })),
    })
    const first = world.respond({ body: STREAM })

    expect(summary(await world.respond({ body: STREAM }))).toEqual([503, 'unavailable'])
    gate.open()
    expect(summary(await first)).toEqual([200])
    expect(summary(await world.respond({ body: STREAM }))).toEqual([200])
  })

  it('are counted in tags that differ', async () => {
    const watch = Array.from({ length: 2000 }, (_, i): PlainTag => [i])

    expect(summary(await createWorld().respond({ body: { ...STREAM, watch } }))).toEqual([200])
  })
})

describe('control without HTTP', () => {
  it('answers what POST watch answers', async () => {
    const world = createWorld<string>({ resolveScope: (id) => ({ kind: 'user', id }) })
    const { connection, cursor: from } = (await world.connect({}, '7')).hello
    await world.invalidate(['b'])
    const message = { connection, watcher: 'w', n: 1, add: [['b']], remove: [], from }

    expect(await world.system.handleControl(message, '7')).toMatchObject({ status: 200, body: { n: 1, tags: [['b']] } })
    expect(await world.system.handleControl(message, '8')).toMatchObject({ status: 409, body: { code: 'not-here' } })
    expect(await world.system.handleControl('rubbish', '7')).toMatchObject({
      status: 400,
      body: { code: 'malformed-message' },
    })
    await world.system.close()
    expect(await world.system.handleControl(message, '7')).toMatchObject({ status: 503 })
  })
})
