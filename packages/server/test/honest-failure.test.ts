import { describe, expect, it } from 'vitest'
import { createTagInvalidationSystem } from '../src/create-system.ts'
import { settle } from './support/fake-clock.ts'
import { createWorld, GLOBAL } from './support/world.ts'

const USER = { kind: 'user', id: '7' }
const unavailable = { code: 'registry-unavailable' }

describe('an invalidation that the registry does not take', () => {
  it('rejects, and is told to the streams of this process without a position (guarantees 2 and 5)', async () => {
    const world = createWorld()
    const sink = await world.connect()
    world.registry.fail('record')

    await expect(world.system.invalidateTags({ tags: [['a']] })).rejects.toMatchObject(unavailable)

    expect(sink.all('invalidate')).toEqual([{ scope: GLOBAL, tags: [['a']] }])
    await world.clock.advance(8000)
    expect(sink.all('heartbeat')[0]?.cursor).toEqual(sink.hello.cursor)
  })

  it('is told when the registry hangs, and once more if it was recorded after all', async () => {
    const world = createWorld()
    const sink = await world.connect()
    const release = world.registry.hold('record')
    const recording = Promise.allSettled([world.system.invalidateTags({ tags: [['a']] })])
    await world.clock.advance(5000)
    expect(await recording).toMatchObject([{ reason: unavailable }])

    release()
    await settle()

    expect(sink.all('invalidate').map(({ at }) => typeof at)).toEqual(['undefined', 'string'])
  })

  it('is told of invalidateAfter, too', async () => {
    const world = createWorld()
    const sink = await world.connect()
    world.registry.fail('record')

    const announced = world.system.invalidateAfter((invalidate) => invalidate({ tags: [['a']] }))

    await expect(announced).rejects.toMatchObject(unavailable)
    expect(sink.tags).toEqual(['["a"]'])
  })

  it('is told only to who watches its tags, in its scope (guarantee 11)', async () => {
    const world = createWorld<string>({ resolveScope: (id) => ({ kind: 'user', id }) })
    const [mine, other, theirs] = [
      await world.connect({}, '7'),
      await world.connect({ watch: [['b']] }, '7'),
      await world.connect({}, '8'),
    ]
    world.registry.fail('record')

    await expect(world.system.invalidateTags({ tags: [['a']], scope: USER })).rejects.toMatchObject(unavailable)
    await expect(world.system.invalidateTags({ tags: [['a']], scope: { kind: 'nobody' } })).rejects.toMatchObject(
      unavailable,
    )

    expect(mine.events).toEqual(['hello', 'invalidate'])
    expect(other.events).toEqual(['hello'])
    expect(theirs.events).toEqual(['hello'])
  })

  it('waits for a slow reader beside what was recorded, whose position is kept (guarantee 5)', async () => {
    const world = createWorld()
    const sink = await world.connect({ watch: [['a'], ['b'], ['c']] })
    sink.stop()
    await world.invalidate(['a'])
    const at = await world.invalidate(['b'])
    world.registry.fail('record')
    for (const tag of ['a', 'c', 'c'])
      await expect(world.system.invalidateTags({ tags: [[tag]] })).rejects.toMatchObject(unavailable)

    sink.resume()

    expect(sink.all('invalidate').slice(1)).toEqual([
      { scope: GLOBAL, tags: [['a'], ['c']] },
      { scope: GLOBAL, at, tags: [['b']] },
    ])
    expect(world.system.stats()).toMatchObject({ backlogBytes: 0, resets: {} })
  })

  it('is left out of a full backlog, which needs no reset for it (guarantee 10)', async () => {
    const world = createWorld()
    const sink = await world.connect({ watch: '*' })
    sink.stop()
    const at = await world.invalidate(['a'])
    world.registry.fail('record')
    for (let i = 0; i < 1000; i++)
      await expect(world.system.invalidateTags({ tags: [['x'.repeat(100), i]] })).rejects.toMatchObject(unavailable)

    const { backlogBytes } = world.system.stats()
    sink.resume()

    expect(backlogBytes).toBeGreaterThan(60_000)
    expect(backlogBytes).toBeLessThanOrEqual(65_536)
    expect(sink.all('reset')).toEqual([])
    expect(sink.all('invalidate').map((frame) => frame.at)).toEqual([at, undefined])
  })

  it('comes after the hello of a stream that is being resumed (guarantee 6)', async () => {
    const world = createWorld()
    const release = world.registry.hold('since')
    const sink = await world.connect({ ageMs: 0 })
    world.registry.fail('record')
    await expect(world.system.invalidateTags({ tags: [['a']] })).rejects.toMatchObject(unavailable)
    expect(sink.events).toEqual([])

    release()
    await settle()

    expect(sink.events).toEqual(['hello', 'invalidate'])
  })
})

describe('a registry that is away', () => {
  it('keeps streams open, unverified, and brings everyone up to date when it is back (guarantees 1 and 9)', async () => {
    const world = createWorld()
    // Another process with the same registry, which reaches it all the time.
    const other = createTagInvalidationSystem({ clock: world.clock, store: world.shared })
    const old = await world.connect()
    world.registry.isLost = () => true
    world.registry.fail('record', 'since', 'head', 'subscribe')
    const late = await world.connect()
    await expect(world.system.invalidateTags({ tags: [['a']] })).rejects.toMatchObject(unavailable)
    const { at } = await other.invalidateTags({ tags: [['a']] })
    await world.clock.advance(16_000)
    expect(old.all('heartbeat').map(({ verified }) => verified)).toEqual([false, false])
    expect(late.all('heartbeat').map(({ verified }) => verified)).toEqual([false, false])

    world.registry.mend()
    await world.clock.advance(16_000)

    expect(old.all('invalidate')).toEqual([
      { scope: GLOBAL, tags: [['a']] },
      { scope: GLOBAL, at, tags: [['a']] },
    ])
    expect(late.hello.cursor).toEqual({})
    expect(late.all('invalidate')).toEqual([{ scope: GLOBAL, tags: [['a']] }])
    expect(late.all('reset')).toMatchObject([{ scopes: [GLOBAL], cursor: { [GLOBAL]: at }, reason: 'recovered' }])
    for (const sink of [old, late]) {
      expect(sink.isEnded).toBe(false)
      expect(sink.all('heartbeat').at(-1)).toMatchObject({ verified: true, cursor: { [GLOBAL]: at } })
    }
    await other.close()
  })

  it('is asked only so much at a time', async () => {
    const world = createWorld({ limits: { maxPendingReads: 10 } })
    world.registry.hold('head')

    const cursors = Array.from({ length: 30 }, () => world.system.cursor())
    await settle()

    expect(world.system.stats().pendingReads).toBe(10)
    expect(world.registry.count('head')).toBe(10)
    await world.clock.advance(2000)
    expect(await Promise.all(cursors)).toEqual(Array.from({ length: 30 }, () => ({})))
    expect(world.system.stats()).toMatchObject({ pendingReads: 0, timers: 0 })
  })
})

describe('a system that closes', () => {
  it('goes on recording while its streams are drained', async () => {
    const world = createWorld()
    for (let i = 0; i < 10; i++) await world.connect()
    const closing = world.system.close({ drainMs: 4000 })
    await world.clock.advance(2000)

    await world.system.invalidateTags({ tags: [['a']] })

    expect(world.registry.count('record')).toBe(1)
    await world.clock.advance(4000)
    await closing
    await expect(world.system.invalidateTags({ tags: [['a']] })).rejects.toMatchObject({ code: 'closed' })
  })

  it('waits for what is being recorded', async () => {
    const world = createWorld()
    const release = world.registry.hold('record')
    const first = world.system.invalidateTags({ tags: [['a']] })
    let isClosed = false
    const closing = world.system.close().then(() => (isClosed = true))
    await settle()
    const second = world.system.invalidateTags({ tags: [['b']] })
    await world.clock.advance(1000)
    expect(isClosed).toBe(false)

    release()

    await expect(Promise.all([first, second, closing])).resolves.toBeDefined()
    expect(world.system.stats().timers).toBe(0)
  })

  it('does not wait longer than its deadline (guarantee 13)', async () => {
    const world = createWorld({ limits: { recordTimeoutMs: 60_000 } })
    world.registry.hold('record')
    const recording = Promise.allSettled([world.system.invalidateTags({ tags: [['a']] })])

    const closing = world.system.close({ deadlineMs: 1000 })
    await world.clock.advance(1000)

    await closing
    await world.clock.advance(60_000)
    expect(await recording).toMatchObject([{ reason: unavailable }])
  })
})
