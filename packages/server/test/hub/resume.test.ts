import type { PlainTag } from '@query-tags/core'
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/http/outcome.ts'
import { openSink } from '../support/test-sink.ts'
import { settle } from '../support/fake-clock.ts'
import { createWorld, GLOBAL, type World } from '../support/world.ts'

const USER = '["user","7"]'

describe('a stream', () => {
  it('begins with a hello at the position before the replay, then replays in ascending order', async () => {
    const world = createWorld()
    const start = await world.invalidate(['before'])
    const first = await world.invalidate(['a'], ['b'])
    await world.invalidate(['other'])
    const second = await world.invalidate(['c'])

    const sink = await world.connect({ cursor: { [GLOBAL]: start }, watch: [['a'], ['b'], ['c']] })

    expect(sink.events).toEqual(['hello', 'invalidate', 'invalidate'])
    expect(sink.hello.cursor).toEqual({ [GLOBAL]: start })
    expect(sink.all('invalidate')).toEqual([
      { scope: GLOBAL, at: first, tags: [['a'], ['b']] },
      { scope: GLOBAL, at: second, tags: [['c']] },
    ])
  })

  it('says who it is, how it beats, and whether there are scopes', async () => {
    const sink = await createWorld({ heartbeatMs: 5000 }).connect()
    const scoped = await createWorld({ resolveScope: () => ({ kind: 'user' }) }).connect()

    expect(sink.hello).toMatchObject({ v: 1, heartbeatMs: 5000, retryMs: 500, scoped: false })
    expect(sink.hello.connection).toMatch(/^[0-9a-f]{32}$/)
    expect(scoped.hello.scoped).toBe(true)
  })

  it('replays of three changes among two hundred only those', async () => {
    const world = createWorld()
    const start = await world.invalidate(['before'])
    for (let i = 0; i < 200; i++) await world.invalidate(['t', i])

    const sink = await world.connect({
      cursor: { [GLOBAL]: start },
      watch: [
        ['t', 3],
        ['t', 77],
        ['t', 150],
        ['u', 1],
      ],
    })

    expect(sink.tags).toEqual(['["t",3]', '["t",77]', '["t",150]'])
  })

  it('starts at an age in scopes that the cursor lacks', async () => {
    const world = createWorld()
    await world.clock.advance(100_000)
    await world.invalidate(['a'])
    await world.clock.advance(20_000)
    await world.invalidate(['b'])
    await world.clock.advance(5000)

    const sink = await world.connect({ ageMs: 10_000, watch: '*' })

    expect(sink.tags).toEqual(['["b"]'])
    expect(Object.keys(sink.hello.cursor)).toEqual([GLOBAL])
  })

  it('does not reset the first connect of a new user scope on an old process', async () => {
    const world = createWorld({ resolveScope: () => ({ kind: 'user', id: '7' }) })
    await world.clock.advance(100_000)

    const sink = await world.connect({ ageMs: 31_000 })

    expect(sink.events).toEqual(['hello'])
    expect(Object.keys(sink.hello.cursor)).toEqual([GLOBAL, USER])
  })

  it('starts at the older of cursor and age until the client had a hello', async () => {
    const world = createWorld()
    await world.clock.advance(100_000)
    await world.invalidate(['a'])
    await world.clock.advance(1000)
    const cursor = { [GLOBAL]: await world.invalidate(['b']) }

    const first = await world.connect({ cursor, ageMs: 30_000, first: true, watch: '*' })
    const old = { [GLOBAL]: first.hello.cursor[GLOBAL]! }
    await world.clock.advance(60_000)
    const older = await world.connect({ cursor: old, ageMs: 1000, first: true, watch: '*' })
    const later = await world.connect({ cursor, ageMs: 300_000, watch: '*' })

    expect(first.tags).toEqual(['["a"]', '["b"]'])
    expect(older.tags).toEqual(['["a"]', '["b"]'])
    expect(later.events).toEqual(['hello'])
  })
})

describe('what a stream can not continue is a reset (guarantee 3)', () => {
  it('of a position below the floor, and the hello leaves it out', async () => {
    const world = createWorld({ memory: { maxTagsPerScope: 2 } })
    const start = await world.invalidate(['a'])
    for (const name of ['b', 'c', 'd']) await world.invalidate([name])
    const head = await world.invalidate(['e'])

    const sink = await world.connect({ cursor: { [GLOBAL]: start }, watch: '*' })

    expect(sink.events).toEqual(['hello', 'reset'])
    expect(sink.hello.cursor).toEqual({})
    expect(sink.all('reset')).toEqual([
      { scopes: [GLOBAL], cursor: { [GLOBAL]: head }, reason: 'expired', spreadMs: 1 },
    ])
  })

  it('of a position of another epoch', async () => {
    const world = createWorld()
    await world.invalidate(['a'])

    const sink = await world.connect({ cursor: { [GLOBAL]: 'other:5' } })

    expect(sink.all('reset')).toMatchObject([{ reason: 'epoch' }])
    expect(sink.hello.cursor).toEqual({})
  })

  it('of a position ahead of the registry', async () => {
    const world = createWorld()
    const [epoch, seq] = (await world.invalidate(['a'])).split(':')

    const sink = await world.connect({ cursor: { [GLOBAL]: `${epoch}:${Number(seq) + 1}` } })

    expect(sink.all('reset')).toMatchObject([{ reason: 'ahead' }])
  })

  it('of an age from before the epoch', async () => {
    const world = createWorld()
    await world.clock.advance(1000)

    const sink = await world.connect({ ageMs: 30_500 })

    expect(sink.all('reset')).toMatchObject([{ reason: 'expired' }])
  })

  it('of an age over ten minutes, even if the log goes back that far', async () => {
    const world = createWorld()
    await world.clock.advance(2_000_000)

    const sink = await world.connect({ ageMs: 600_001 })
    const inTime = await world.connect({ ageMs: 600_000 })
    const inCursor = await world.connect({ ageMs: 600_001, cursor: inTime.hello.cursor })

    expect(sink.all('reset')).toMatchObject([{ reason: 'expired' }])
    expect(inTime.events).toEqual(['hello'])
    expect(inCursor.events).toEqual(['hello'])
  })

  it('of a replay over a thousand tags', async () => {
    const world = createWorld()
    const start = await world.invalidate(['before'])
    for (let i = 0; i < 4; i++)
      await world.invalidate(...Array.from({ length: 250 }, (_, j): PlainTag => ['t', i * 250 + j]))
    const all = await world.connect({ cursor: { [GLOBAL]: start }, watch: '*' })
    expect(all.tags).toHaveLength(1000)
    await world.invalidate(['one more'])

    const sink = await world.connect({ cursor: { [GLOBAL]: start }, watch: '*' })
    const few = await world.connect({ cursor: { [GLOBAL]: start }, watch: [['t', 999]] })

    expect(sink.all('reset')).toMatchObject([{ reason: 'too-many' }])
    expect(few.tags).toEqual(['["t",999]'])
  })

  it('of a replay over 64 KiB', async () => {
    const world = createWorld()
    const start = await world.invalidate(['before'])
    for (let i = 0; i < 70; i++) await world.invalidate(['x'.repeat(1000), i])

    const sink = await world.connect({ cursor: { [GLOBAL]: start }, watch: '*' })

    expect(sink.all('reset')).toMatchObject([{ reason: 'too-many' }])
  })

  it('scope by scope: the others are continued', async () => {
    const world = createWorld({ resolveScope: () => ({ kind: 'user', id: '7' }) })
    const start = await world.invalidate(['before'])
    await world.invalidate(['a'])

    const sink = await world.connect({ cursor: { [GLOBAL]: start, [USER]: 'gone:1' } })

    expect(sink.events).toEqual(['hello', 'invalidate', 'reset'])
    expect(sink.hello.cursor).toEqual({ [GLOBAL]: start })
    expect(sink.all('reset')).toMatchObject([{ scopes: [USER], reason: 'epoch' }])
  })
})

function get(world: World<unknown>, lastEventId?: string): Promise<Outcome> {
  return world.respond({ method: 'GET', headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId } })
}

describe('plain EventSource', () => {
  it('gets every tag from now on', async () => {
    const world = createWorld()
    await world.invalidate(['a'])

    const sink = openSink(await get(world))
    await settle()
    await world.invalidate(['b'])

    expect(sink.events).toEqual(['hello', 'invalidate'])
    expect(sink.tags).toEqual(['["b"]'])
  })

  it('resumes by the ID of its last event', async () => {
    const world = createWorld()
    const first = openSink(await get(world))
    await settle()
    const id = /^id: (.*)$/m.exec(first.text)![1]!
    await world.invalidate(['a'])

    const second = openSink(await get(world, id))
    await settle()

    expect(second.tags).toEqual(['["a"]'])
  })

  it.each(['rubbish', '{}', '{"["}', '[1]'])(
    'is reset for an ID that names no position: %s (guarantee 3)',
    async (id) => {
      const world = createWorld()

      const sink = openSink(await get(world, id))
      await settle()

      expect(sink.all('reset')).toMatchObject([{ reason: 'expired' }])
    },
  )

  it('is reset in a scope that the ID lacks (guarantee 3)', async () => {
    const world = createWorld({ resolveScope: () => ({ kind: 'user', id: '7' }) })
    const start = await world.invalidate(['a'])

    const sink = openSink(await get(world, JSON.stringify({ [GLOBAL]: start })))
    await settle()

    expect(sink.hello.cursor).toEqual({ [GLOBAL]: start })
    expect(sink.all('reset')).toMatchObject([{ scopes: [USER], reason: 'expired' }])
  })
})

describe('a scope that the registry can not tell', () => {
  it('is absent from the hello and the heartbeats, says nothing, and comes back by a reset', async () => {
    const world = createWorld({ heartbeatMs: 8000 })
    const start = await world.invalidate(['before'])
    world.registry.fail('since')
    const sink = await world.connect({ cursor: { [GLOBAL]: start } })
    await world.invalidate(['a'])
    world.registry.fail('head')
    await world.clock.advance(8000)
    expect(sink.events).toEqual(['hello', 'heartbeat'])
    expect(sink.hello.cursor).toEqual({})
    expect(sink.all('heartbeat')).toMatchObject([{ cursor: {}, verified: false }])
    const head = await world.invalidate(['a'])
    expect(sink.events).toEqual(['hello', 'heartbeat'])

    world.registry.mend()
    await world.clock.advance(8000)

    expect(sink.events).toEqual(['hello', 'heartbeat', 'reset', 'heartbeat'])
    expect(sink.all('reset')).toEqual([
      { scopes: [GLOBAL], cursor: { [GLOBAL]: head }, reason: 'recovered', spreadMs: 1 },
    ])
    expect(sink.all('heartbeat')[1]).toMatchObject({ cursor: { [GLOBAL]: head }, verified: true })
    await world.invalidate(['a'])
    expect(sink.tags).toEqual(['["a"]'])
    expect(world.errors.map(({ phase }) => phase)).toContain('registry')
  })

  it('does not hold the hello back for longer than the registry may take', async () => {
    const world = createWorld()
    world.registry.hold('subscribe')
    const sink = await world.connect()
    expect(sink.events).toEqual([])

    await world.clock.advance(2000)

    expect(sink.events[0]).toBe('hello')
    expect(sink.hello.cursor).toEqual({})
  })

  it('is subscribed once when a late acknowledgement crosses the next attempt', async () => {
    const world = createWorld({ heartbeatMs: 8000 })
    const acknowledge = world.registry.hold('subscribe')
    const sink = await world.connect({ watch: '*' })
    await world.clock.advance(2000)
    acknowledge()
    await world.clock.advance(8000)

    await world.invalidate(['a'])

    expect(sink.events.filter((event) => event !== 'heartbeat')).toEqual(['hello', 'reset', 'invalidate'])
  })
})
