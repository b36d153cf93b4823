import { isQueryTagsError, type PlainTag } from '@query-tags/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../src/http/outcome.ts'
import { settle } from './support/fake-clock.ts'
import { openSink } from './support/test-sink.ts'
import { createWorld, GLOBAL, type TestRequest, type World } from './support/world.ts'

/** More by `FUZZ_RUNS=10000`. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 400)

const STATUSES = new Set([200, 204, 400, 401, 403, 404, 405, 408, 409, 413, 415, 426, 429])
const SECRET = 'secret of user 8'

const tag = fc.oneof(
  fc.array(fc.jsonValue(), { maxLength: 3 }),
  fc.record({ path: fc.string(), key: fc.array(fc.jsonValue()) }, { requiredKeys: [] }),
  fc.record({ path: fc.string(), keys: fc.array(fc.array(fc.jsonValue())) }, { requiredKeys: [] }),
  fc.constantFrom<unknown>(['a'], ['__proto__'], { path: '__proto__' }, { path: '' }, [[[[]]]]),
)
const tags = fc.oneof(fc.array(tag, { maxLength: 5 }), fc.constantFrom<unknown>('*', null, 'a'))
const position = fc.oneof(fc.string(), fc.constantFrom('x:1', 'x:99999999999999999999', ':', 'x:-1'))
const cursor = fc.oneof(
  fc.dictionary(fc.oneof(fc.string(), fc.constantFrom(GLOBAL, '["user","7"]', '["user","8"]', '__proto__')), position),
  fc.jsonValue(),
)
const word = fc.oneof(fc.stringMatching(/^\w{1,64}$/), fc.string(), fc.jsonValue())
const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom<unknown>(0, 1, 31_000, '1', null))

const streamBody = fc.record(
  {
    v: fc.oneof({ weight: 5, arbitrary: fc.constant<unknown>(1) }, { weight: 1, arbitrary: number }),
    scope: fc.oneof(fc.record({ kind: fc.constantFrom('user', 'x'), id: fc.constantFrom('7', '8') }), fc.jsonValue()),
    cursor,
    ageMs: number,
    first: fc.oneof(fc.boolean(), fc.jsonValue()),
    watcher: word,
    watch: tags,
    replaces: word,
  },
  { requiredKeys: ['v', 'ageMs', 'watcher', 'watch'] },
)
const watchBody = fc.record(
  { connection: word, watcher: word, n: number, add: tags, remove: tags, from: cursor },
  { requiredKeys: ['watcher', 'n', 'add', 'remove', 'from'] },
)
const headers = fc.dictionary(
  fc.constantFrom('origin', 'sec-fetch-site', 'content-type', 'content-length', 'last-event-id', 'host', 'accept'),
  fc.oneof(
    fc.string(),
    fc.constantFrom('same-origin', 'application/json', 'http://app.test', '{"[":1}', '-5', 'NaN', '{}'),
  ),
)
const request = fc.record(
  {
    method: fc.oneof(
      { weight: 6, arbitrary: fc.constant('POST') },
      { weight: 1, arbitrary: fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'PUT', 'get', '') },
    ),
    path: fc.oneof({ weight: 6, arbitrary: fc.constantFrom('', '/', '/watch') }, { weight: 1, arbitrary: fc.string() }),
    headers,
    body: fc.oneof(
      streamBody,
      watchBody,
      fc.jsonValue(),
      fc.string(),
      fc.oneof(streamBody, watchBody).map((body) => JSON.stringify(body)),
    ),
  },
  { requiredKeys: ['path', 'body'] },
)

/**
 * What is wrong with an outcome: anything but an answer with a known status, and a code when it is a refusal, or a stream whose every frame
 * can be read and has nothing of another scope.
 */
async function faultOf(world: World<string>, outcome: Outcome): Promise<string | undefined> {
  if (outcome.kind === 'answer') {
    if (!STATUSES.has(outcome.status)) return `status ${outcome.status}`
    if (outcome.body?.includes(SECRET)) return 'an answer with another scope in it'
    if (outcome.status < 400) return undefined
    return typeof (JSON.parse(outcome.body!) as { code: unknown }).code === 'string' ? undefined : 'no code'
  }
  const sink = openSink(outcome)
  await world.system.invalidateTags({ tags: [[SECRET]], scope: { kind: 'user', id: '8' } })
  await settle()
  sink.leave()
  if (sink.events[0] !== 'hello') return `a stream that begins with ${sink.events[0]}`
  return sink.text.includes(SECRET) ? 'a stream with another scope in it' : undefined
}

describe('whatever is sent', () => {
  it('is answered, never with another scope, and the process keeps serving (guarantee 11)', async () => {
    const world = createWorld<string>({ resolveScope: (id) => ({ kind: 'user', id }) })
    await world.clock.advance(60_000)
    const connected = await world.connect({ watch: '*' }, '7')

    await fc.assert(
      fc.asyncProperty(request, async (given) => {
        const body = given.body as { connection?: unknown } | null
        // Every other request names a connection that exists.
        if (given.path === '/watch' && typeof body === 'object' && body !== null && !('connection' in body)) {
          body.connection = connected.hello.connection
        }
        expect(await faultOf(world, await world.respond(given as TestRequest, '7'))).toBeUndefined()
        await world.clock.advance(60)
      }),
      { numRuns },
    )

    const after = await world.connect({ watch: '*' }, '7')
    expect(after.events).toEqual(['hello'])
    expect(connected.text).not.toContain(SECRET)
    expect(world.errors).toEqual([])
    after.leave()
    connected.leave()
    await settle()
    expect(world.system.stats()).toMatchObject({ connections: 0, scopes: 0, watchedTags: 0, timers: 0 })
  })

  it('is recorded and told as it was, or refused with a code', async () => {
    const world = createWorld()
    const sink = await world.connect({ watch: '*' })

    await fc.assert(
      fc.asyncProperty(fc.array(tag, { minLength: 1, maxLength: 5 }), async (given) => {
        sink.chunks.length = 0
        const invalidating = world.system.invalidateTags({ tags: given as PlainTag[] })
        const outcome = await invalidating.catch((error: unknown) => error)
        const refusal = isQueryTagsError(outcome) ? [] : undefined
        expect(sink.all('invalidate')).toEqual(refusal ?? [outcome])
      }),
      { numRuns },
    )
  })
})
