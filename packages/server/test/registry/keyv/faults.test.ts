import type { PlainTag } from '@query-tags/core'
import { describe, expect, it } from 'vitest'
import type { Recorded } from '../../../src/registry/tag-registry.ts'
import { FaultyKeyv, type Fault } from './support/faulty-keyv.ts'
import { KeyvWorld } from './support/world.ts'

const isLog = (key: string): boolean => key.startsWith('log.')

describe('a store that fails', () => {
  it.each<Fault>(['rejects', 'says-no', 'emits', 'swallows', 'tears'])(
    'rejects an invalidation when a write %s (guarantee 2)',
    async (fault) => {
      const world = new KeyvWorld()
      const keyv = new FaultyKeyv()
      const registry = world.open(keyv)
      await world.soon(registry.head('s'))
      keyv.fault = (call, key) => (call === 'set' && isLog(key) ? fault : undefined)

      await expect(world.soon(registry.record('s', [['a']]))).rejects.toThrow('The store')
    },
  )

  it('rejects within seconds when the store hangs, and does not ask it without end (guarantee 2)', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const registry = world.open(keyv)
    await world.soon(registry.head('s'))
    keyv.fault = () => 'hangs'

    await expect(world.soon(registry.record('s', [['a']]), 4500)).rejects.toThrow('within 4000 ms')

    const asked = keyv.sets.length
    await world.clock.advance(3_600_000)
    expect(keyv.sets.length - asked).toBeLessThan(10)
  })

  it('writes a chunk that failed again, as it was and under its number, before anything else (guarantee 4)', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const registry = world.open(keyv)
    const start = await world.soon(registry.head('s'))
    const heard: Recorded[] = []
    await registry.subscribe('s', (recorded) => heard.push(recorded))
    keyv.fault = (call, key) => (call === 'set' && isLog(key) ? 'rejects' : undefined)
    await expect(world.soon(registry.record('s', [['first']]))).rejects.toThrow('The store')
    keyv.sets.length = 0

    const second = registry.record('s', [['second']])
    keyv.fault = () => undefined
    const position = await world.soon(second, 1000)

    const logs = keyv.sets.filter(isLog)
    expect(logs[0]).toMatch(/\.2$/)
    expect(logs[1]).toMatch(/\.3$/)
    expect(heard.map(({ tags }) => tags)).toEqual([[['first']], [['second']]])
    const reopened = await world.reopen(keyv.data)
    expect(await world.soon(reopened.since('s', start))).toMatchObject({
      entries: [{ tags: [['first']] }, { seq: position.seq, tags: [['second']] }],
    })
  })

  it('tells nobody of an invalidation before the store has kept it (guarantee 4)', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const registry = world.open(keyv)
    await world.soon(registry.head('s'))
    const heard: Recorded[] = []
    await registry.subscribe('s', (recorded) => heard.push(recorded))
    let arrive: (() => void) | undefined
    keyv.delay = (key) =>
      isLog(key)
        ? new Promise((resolve) => {
            arrive = resolve
          })
        : undefined

    const recording = registry.record('s', [['a']])
    await world.clock.advance(1000)
    const early = heard.length
    arrive?.()
    await world.soon(recording)

    expect(early).toBe(0)
    expect(heard).toHaveLength(1)
  })

  it.each<Fault>(['rejects', 'emits', 'hangs'])(
    'does not take a store whose reads fail (%s) for an empty one (guarantee 3)',
    async (fault) => {
      const world = new KeyvWorld()
      const keyv = new FaultyKeyv()
      const before = world.open(keyv)
      const head = await world.soon(before.record('s', [['a']]))
      await world.soon(before.close())
      const again = new FaultyKeyv(keyv.data)
      again.fault = (call) => (call === 'get' ? fault : undefined)

      const registry = world.open(again)
      await world.clock.advance(20_000)
      await expect(world.soon(registry.head('s'))).rejects.toThrow('The store could not be opened')
      again.fault = () => undefined
      await world.clock.advance(20_000)

      expect(await world.soon(registry.head('s'))).toEqual(head)
    },
  )

  it('starts without its store, and opens it when it is there', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    keyv.fault = () => 'rejects'
    const registry = world.open(keyv)
    await expect(world.soon(registry.record('s', [['a']]))).rejects.toThrow('The store could not be opened')
    const asked = world.reports.length
    await world.clock.advance(60_000)
    const askedInAMinute = world.reports.length - asked

    keyv.fault = () => undefined
    await world.clock.advance(6000)

    await expect(world.soon(registry.record('s', [['a']]))).resolves.toHaveProperty('epoch')
    expect(askedInAMinute).toBeLessThan(40)
  })

  it('says so when the store takes nothing from the start, and does not ask it all the time', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    keyv.fault = (call) => (call === 'set' ? 'swallows' : undefined)
    const registry = world.open(keyv)

    await expect(world.soon(registry.record('s', [['a']]))).rejects.toThrow('The store could not be opened')

    keyv.sets.length = 0
    await world.clock.advance(60_000)
    expect(keyv.sets.length).toBeLessThan(40)
  })

  it('bounds what waits for a store that hangs', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const registry = world.open(keyv)
    await world.soon(registry.head('s'))
    keyv.fault = () => 'hangs'
    const tags: PlainTag[] = Array.from({ length: 45 }, (_, i) => ['x'.repeat(1000), i])

    const outcomes = await world.soon(
      Promise.all(
        Array.from({ length: 500 }, () =>
          registry.record('s', tags).then(
            () => 'recorded',
            (error: Error) => error.message,
          ),
        ),
      ),
      5000,
    )

    expect(outcomes).toContain('Too many invalidations are waiting for the store')
  })

  it('closes in bounded time while the store hangs, and leaves nothing behind (guarantee 13)', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const registry = world.open(keyv)
    await world.soon(registry.head('s'))
    keyv.fault = () => 'hangs'
    const recording = registry.record('s', [['a']]).then(
      () => 'recorded',
      () => 'rejected',
    )

    await world.soon(registry.close(), 3500)

    await world.clock.advance(10_000)
    expect(await recording).toBe('rejected')
    expect(world.clock.timers).toBe(0)
    expect(keyv.listenerCount).toBe(0)
  })

  it('says that it can not verify when the store is gone for some seconds (guarantee 9)', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const registry = world.open(keyv)
    await world.soon(registry.head('s'))

    keyv.fault = () => 'rejects'
    await world.clock.advance(6000)

    await expect(world.soon(registry.head('s'))).rejects.toThrow('The store')
    await expect(world.soon(registry.since('s', { ageMs: 0 }))).rejects.toThrow('The store')
    keyv.fault = () => undefined
    await expect(world.soon(registry.head('s'))).resolves.toHaveProperty('epoch')
  })

  it('writes what is recorded meanwhile together', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const registry = world.open(keyv)
    await world.soon(registry.head('s'))
    keyv.sets.length = 0

    await world.soon(Promise.all(Array.from({ length: 200 }, (_, i) => registry.record('s', [['t', i]]))))

    expect(keyv.sets.filter(isLog).length).toBeLessThan(5)
  })
})
