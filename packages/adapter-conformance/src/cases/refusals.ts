import { expect } from 'vitest'
import type { Ask } from '../client/exchange.ts'
import type { World, WorldOptions } from '../world.ts'
import type { Case, Feature } from './case.ts'

interface RefusalCase {
  readonly of: string
  readonly status: number
  readonly code: string
  readonly ask: Ask | ((world: World) => Ask | Promise<Ask>)
  readonly options?: WorldOptions
  readonly headers?: Record<string, unknown>
  readonly needs?: Feature
}

const STREAM = { v: 1, ageMs: 0, watcher: 'w', watch: '*' }
const WATCH = { watcher: 'w', n: 1, add: [], remove: [], from: {} }
const UNKNOWN = '0'.repeat(32)
const RETRY_AFTER = { 'retry-after': expect.stringMatching(/^([5-9]|[12]\d|30)$/) as unknown }

const post = (body: unknown, more: Partial<Ask> = {}): Ask => ({ method: 'POST', body, ...more })

const refusals: RefusalCase[] = [
  { of: 'a body that is not JSON', status: 400, code: 'malformed-message', ask: post('{"v":1,') },
  { of: 'a body that is no message', status: 400, code: 'malformed-message', ask: post('[]') },
  { of: 'an empty body', status: 400, code: 'malformed-message', ask: post('') },
  {
    of: 'a caller whom resolveScope does not know',
    status: 401,
    code: 'unauthorized',
    ask: { headers: { 'x-user': undefined } },
  },
  {
    of: 'the wish for the scope of somebody else',
    status: 403,
    code: 'scope-denied',
    ask: post({ ...STREAM, scope: { kind: 'user', id: 'bob' } }),
  },
  {
    of: 'a page of another origin',
    status: 403,
    code: 'origin-denied',
    ask: { headers: { origin: 'https://evil.example' } },
  },
  {
    of: 'a cross-site request',
    status: 403,
    code: 'origin-denied',
    ask: post(STREAM, { headers: { 'sec-fetch-site': 'cross-site' } }),
  },
  { of: 'an unknown path', status: 404, code: 'not-found', ask: { path: '/nothing' } },
  {
    of: 'PUT',
    status: 405,
    code: 'method-not-allowed',
    ask: { method: 'PUT' },
    headers: { allow: 'GET, HEAD, POST, OPTIONS' },
  },
  {
    of: 'GET of watch',
    status: 405,
    code: 'method-not-allowed',
    ask: { path: '/watch' },
    headers: { allow: 'POST, OPTIONS' },
  },
  {
    of: 'a body that takes too long',
    status: 408,
    code: 'timeout',
    needs: 'slow-body',
    options: { limits: { bodyTimeoutMs: 50 } },
    ask: post('{', { unfinished: true, headers: { 'content-length': '100' } }),
  },
  {
    of: 'watch on a connection that is not here',
    status: 409,
    code: 'not-here',
    ask: post({ ...WATCH, connection: UNKNOWN }, { path: '/watch' }),
  },
  {
    of: "watch on somebody else's connection",
    status: 409,
    code: 'not-here',
    async ask(world) {
      const { connection } = await (await world.connect({}, { 'x-user': 'bob' })).body.until('hello')
      return post({ ...WATCH, connection }, { path: '/watch' })
    },
  },
  {
    of: 'a body that says it is too large',
    status: 413,
    code: 'too-large',
    ask: post('"', { unfinished: true, headers: { 'content-length': '70000' } }),
  },
  {
    of: 'a body that turns out too large',
    status: 413,
    code: 'too-large',
    ask: post('x'.repeat(70_000), { unfinished: true, headers: { 'transfer-encoding': 'chunked' } }),
  },
  {
    of: 'too many watched tags',
    status: 413,
    code: 'too-large',
    options: { limits: { maxWatchedTags: 1 } },
    ask: post({ ...STREAM, watch: [['a'], ['b']] }),
  },
  ...['text/plain', 'application/x-www-form-urlencoded', undefined].map((type) => ({
    of: `a body of ${type ?? 'no'} type`,
    status: 415,
    code: 'unsupported-media-type',
    ask: post(STREAM, { headers: { 'content-type': type } }),
  })),
  { of: 'a later version', status: 426, code: 'unsupported-version', ask: post({ ...STREAM, v: 2 }) },
  {
    of: "a user's stream over the limit",
    status: 429,
    code: 'too-many-requests',
    options: { limits: { maxConnectionsPerScope: 1 } },
    headers: RETRY_AFTER,
    async ask(world) {
      await (await world.connect()).body.until('hello')
      return post(STREAM)
    },
  },
  {
    of: 'a stream over the limit',
    status: 503,
    code: 'unavailable',
    options: { limits: { maxConnections: 1 } },
    headers: RETRY_AFTER,
    async ask(world) {
      await (await world.connect()).body.until('hello')
      return {}
    },
  },
  {
    of: 'anything while the system is closed',
    status: 503,
    code: 'unavailable',
    headers: { 'retry-after': '1' },
    async ask(world) {
      await world.system.close()
      return {}
    },
  },
]

export const refusalCases: Case[] = refusals.map(({ of, status, code, ask, options, headers, needs }) => ({
  name: `refuses ${of} with ${status} ${code}`,
  ...(needs && { needs }),
  async run(start) {
    const world = await start(options)

    const reply = await world.ask(typeof ask === 'function' ? await ask(world) : ask)

    expect(await reply.body.json()).toEqual({ code, message: expect.any(String) as unknown })
    expect(reply.status).toBe(status)
    expect(reply.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'private, no-store, no-transform',
      'x-content-type-options': 'nosniff',
      ...headers,
    })
    expect(world.reports).toEqual([])
  },
}))
