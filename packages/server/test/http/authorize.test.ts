import type { Scope } from '@query-tags/core'
import { describe, expect, it } from 'vitest'
import type { ResolvedScopes } from '../../src/http/authorize.ts'
import { openSink } from '../support/test-sink.ts'
import { createWorld } from '../support/world.ts'

const STREAM = { v: 1, ageMs: 0, watcher: 'w', watch: '*' }
const ADA: Scope = { kind: 'user', id: 'ada' }
/** The wall clock of a world when it begins. */
const NOW = 1_800_000_000_000

describe('expiresAt', () => {
  it.each([
    ['a date', new Date(NOW + 5000)],
    ['milliseconds', NOW + 5000],
  ])('as %s ends the stream in time, and its client has to authorize anew (guarantee 11)', async (_, expiresAt) => {
    const world = createWorld({ resolveScope: () => ({ scopes: ADA, expiresAt }) })
    const sink = await world.connect()
    await world.clock.advance(4999)
    expect(sink.isEnded).toBe(false)

    await world.clock.advance(1)

    expect(sink.all('bye')).toEqual([{ reason: 'reauthorize', retryMs: 0 }])
    expect((await world.respond({ body: STREAM })).status).toBe(401)
    expect(world.clock.timers).toBe(0)
  })

  it('counts from when the application was asked, however long the body takes', async () => {
    const world = createWorld({ resolveScope: () => ({ scopes: ADA, expiresAt: NOW + 5000 }) })
    const outcome = await world.respond({ body: STREAM })
    await world.clock.advance(4000)
    const sink = openSink(outcome)

    await world.clock.advance(1000)

    expect(sink.all('bye')).toHaveLength(1)
  })

  it('after maxStreamMs changes nothing, also when it is years away', async () => {
    const world = createWorld({
      maxStreamMs: null,
      resolveScope: () => ({ scopes: [ADA, { kind: 'team' }], expiresAt: NOW + 1e12 }),
    })
    const sink = await world.connect()

    await world.clock.advance(60_000)

    expect(sink.isEnded).toBe(false)
    expect(Object.keys(sink.hello.cursor)).toHaveLength(3)
  })

  it('leaves no timer behind when the client goes first (guarantee 13)', async () => {
    const world = createWorld({ resolveScope: () => ({ scopes: ADA, expiresAt: NOW + 5000 }) })
    const sink = await world.connect()

    sink.leave()
    await world.clock.advance(0)

    expect(world.clock.timers).toBe(0)
  })

  it.each<[string, unknown]>([
    ['in seconds, as in a JWT', { scopes: ADA, expiresAt: NOW / 1000 }],
    ['that is no date', { scopes: ADA, expiresAt: new Date('soon') }],
    ['as text', { scopes: ADA, expiresAt: new Date(NOW).toISOString() }],
    ['of a session that has none', { scopes: ADA, expiresAt: undefined }],
    ['in the scope', { ...ADA, expiresAt: NOW + 5000 }],
    ['for scopes that are none', { scopes: null, expiresAt: NOW + 5000 }],
    ['that is missing', { scopes: ADA }],
  ])('%s is invalid-scope, and nobody is let in (guarantee 11)', async (_, resolved) => {
    const world = createWorld({ resolveScope: () => resolved as ResolvedScopes })

    expect((await world.respond({ body: STREAM })).status).toBe(500)
    expect(world.errors).toMatchObject([{ error: { code: 'invalid-scope' }, phase: 'resolve-scope' }])
  })
})
