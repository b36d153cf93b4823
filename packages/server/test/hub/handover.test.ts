import { describe, expect, it } from 'vitest'
import { createGate } from '../support/gate.ts'
import { settle } from '../support/fake-clock.ts'
import { createWorld, GLOBAL } from '../support/world.ts'

describe('the handover from replay to live (guarantee 6)', () => {
  it('buffers what is invalidated during the read, and tells it after the replay', async () => {
    const world = createWorld()
    const start = await world.invalidate(['before'])
    await world.invalidate(['a'])
    const read = world.registry.hold('since')
    const sink = await world.connect({ cursor: { [GLOBAL]: start }, watch: '*' })
    await world.invalidate(['b'])
    expect(sink.events).toEqual([])

    read()
    await settle()
    await world.invalidate(['c'])

    expect(sink.events).toEqual(['hello', 'invalidate', 'invalidate', 'invalidate'])
    expect(sink.tags).toEqual(['["a"]', '["b"]', '["c"]'])
  })

  it('keeps the order when the answer to the read is older than what came live', async () => {
    const world = createWorld()
    const start = await world.invalidate(['before'])
    await world.invalidate(['a'])
    // The registry reads before the invalidation and answers after it.
    const since = world.registry.since.bind(world.registry)
    const late = createGate()
    world.registry.since = async (scope, after) => {
      const missed = await since(scope, after)
      await late.opened
      return missed
    }
    const sink = await world.connect({ cursor: { [GLOBAL]: start }, watch: '*' })
    await world.invalidate(['b'])
    await world.invalidate(['a'])

    late.open()
    await settle()

    expect(sink.tags).toEqual(['["a"]', '["b"]', '["a"]'])
    const at = sink.all('invalidate').map((frame) => Number(frame.at?.split(':')[1]))
    expect(at).toEqual(at.toSorted((a, b) => a - b))
  })

  it('does not tell twice what the replay told', async () => {
    const world = createWorld()
    const start = await world.invalidate(['before'])
    const read = world.registry.hold('since')
    const sink = await world.connect({ cursor: { [GLOBAL]: start }, watch: '*' })
    await world.invalidate(['a'])

    read()
    await settle()

    expect(sink.tags).toEqual(['["a"]'])
  })

  it('waits for the slowest scope before the hello, and loses nothing of the fastest', async () => {
    const world = createWorld({ resolveScope: () => ({ kind: 'user', id: '7' }) })
    const cursor = await world.system.cursor({ kind: 'user', id: '7' })
    const since = world.registry.since.bind(world.registry)
    const late = createGate()
    world.registry.since = async (scope, after) => {
      if (scope !== GLOBAL) await late.opened
      return since(scope, after)
    }
    const sink = await world.connect({ cursor, watch: '*' })

    await world.invalidate(['a'])
    await world.system.invalidateTags({ tags: [['b']], scope: { kind: 'user', id: '7' } })
    late.open()
    await settle()

    expect(sink.events).toEqual(['hello', 'invalidate', 'invalidate'])
    expect(sink.tags.toSorted()).toEqual(['["a"]', '["b"]'])
  })

  it('is a reset when more came during the read than may be buffered (guarantee 10)', async () => {
    const world = createWorld({ limits: { maxBacklogBytes: 1000 } })
    const start = await world.invalidate(['before'])
    const read = world.registry.hold('since')
    const sink = await world.connect({ cursor: { [GLOBAL]: start }, watch: '*' })
    for (let i = 0; i < 100; i++) await world.invalidate(['x'.repeat(50), i])

    read()
    await settle()

    expect(sink.events.filter((event) => event !== 'invalidate')).toEqual(['hello', 'reset'])
    expect(sink.all('reset')).toMatchObject([{ reason: 'overflow' }])
  })

  it('hears of what was invalidated between the subscription and the first look at the head', async () => {
    const world = createWorld()
    const head = world.registry.head.bind(world.registry)
    world.registry.head = async (scope) => {
      const position = await head(scope)
      await world.system.invalidateTags({ tags: [['a']] })
      world.registry.head = head
      return position
    }

    const sink = await world.connect({ ageMs: 0, watch: '*' })
    await world.invalidate(['b'])

    expect(sink.tags).toEqual(['["a"]', '["b"]'])
  })

  it('leaves a connection that went during the read where it is: nowhere', async () => {
    const world = createWorld()
    const read = world.registry.hold('subscribe')
    const sink = await world.connect()

    sink.leave()
    await settle()
    read()
    await settle()

    expect(sink.events).toEqual([])
    expect(world.system.stats()).toMatchObject({ connections: 0, scopes: 0, watchedTags: 0, timers: 0 })
  })
})

describe('resumes that share a read', () => {
  it('read once for all who come while a read is under way, and each gets its own', async () => {
    const world = createWorld()
    const positions: string[] = []
    for (let i = 0; i < 5; i++) positions.push(await world.invalidate(['t', i]))
    await world.connect()
    world.registry.calls.length = 0
    const read = world.registry.hold('since')
    const opening = positions.map((position) => world.connect({ cursor: { [GLOBAL]: position }, watch: '*' }))
    const sinks = await Promise.all(opening)

    read()
    await settle()

    expect(sinks.map((sink) => sink.tags.length)).toEqual([4, 3, 2, 1, 0])
    expect(sinks.map((sink) => sink.hello.cursor[GLOBAL])).toEqual(positions)
    // The first alone, the other four together.
    expect(world.registry.count('since')).toBe(2)
  })

  it('do not join a read that has begun: it may have looked before their invalidation', async () => {
    const world = createWorld()
    const start = await world.invalidate(['before'])
    const since = world.registry.since.bind(world.registry)
    const late = createGate()
    world.registry.since = async (scope, after) => {
      const missed = await since(scope, after)
      await late.opened
      return missed
    }
    const first = await world.connect({ cursor: { [GLOBAL]: start }, watch: [['other']] })
    await world.invalidate(['a'])
    const second = await world.connect({ cursor: { [GLOBAL]: start }, watch: [['a']] })

    late.open()
    await settle()

    expect(first.tags).toEqual([])
    expect(second.tags).toEqual(['["a"]'])
  })

  it('are reset one by one: below the floor, ahead, of another epoch; the rest is continued (guarantee 3)', async () => {
    const world = createWorld({ memory: { maxTagsPerScope: 3 } })
    const positions: string[] = []
    for (let i = 0; i < 6; i++) positions.push(await world.invalidate(['t', i]))
    const [epoch, top] = positions[5]!.split(':')
    positions.push(`${epoch}:${Number(top) + 1}`, 'other:1')
    await world.connect()
    const read = world.registry.hold('since')
    await world.connect({ cursor: { [GLOBAL]: positions[5]! } })
    const sinks = await Promise.all(positions.map((at) => world.connect({ cursor: { [GLOBAL]: at }, watch: '*' })))

    read()
    await settle()

    expect(sinks.map((sink) => sink.all('reset')[0]?.reason ?? sink.tags.length)).toEqual([
      'expired',
      'expired',
      3,
      2,
      1,
      0,
      'ahead',
      'epoch',
    ])
  })

  it('are reset when one is ahead, though the read of the oldest is good (guarantee 3)', async () => {
    const world = createWorld()
    const start = await world.invalidate(['a'])
    const [epoch, seq] = (await world.invalidate(['b'])).split(':')
    const read = world.registry.hold('since')
    await world.connect({ cursor: { [GLOBAL]: start } })
    const good = await world.connect({ cursor: { [GLOBAL]: start }, watch: '*' })
    const ahead = await world.connect({ cursor: { [GLOBAL]: `${epoch}:${Number(seq) + 1}` } })

    read()
    await settle()

    expect(good.tags).toEqual(['["b"]'])
    expect(ahead.all('reset')).toMatchObject([{ reason: 'ahead' }])
  })

  it('read ages together too, from the oldest, and find the oldest that is known', async () => {
    const world = createWorld()
    await world.clock.advance(40_000)
    await world.invalidate(['a'])
    await world.clock.advance(1000)
    const read = world.registry.hold('since')
    await world.connect()
    world.registry.calls.length = 0
    const sinks = await Promise.all([50_000, 38_000, 36_000].map((ageMs) => world.connect({ ageMs, watch: '*' })))

    read()
    await settle()

    expect(sinks.map((sink) => sink.all('reset')[0]?.reason ?? sink.tags.length)).toEqual(['expired', 1, 1])
  })
})
