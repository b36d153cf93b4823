import type { PlainTag } from '@query-tags/core'
import { describe, expect, it } from 'vitest'
import { FaultyKeyv } from './support/faulty-keyv.ts'
import { KeyvWorld } from './support/world.ts'

function size(keyv: FaultyKeyv): number {
  return [...keyv.data].reduce((sum, [key, value]) => sum + key.length + String(value).length, 0)
}

function tagsOf(round: number, count = 500): PlainTag[] {
  return Array.from({ length: count }, (_, i) => ['item', i, 'x'.repeat(50), round % 3])
}

describe('the size of what is stored', () => {
  it(
    'stays in proportion to what is remembered, and every position is there after a crash',
    { timeout: 60_000 },
    async () => {
      const world = new KeyvWorld()
      const keyv = new FaultyKeyv()
      const registry = world.open(keyv)
      const start = await world.soon(registry.head('["user","1"]'))
      let largest = 0

      for (let round = 0; round < 300; round++) {
        await world.soon(registry.record(round % 2 ? '["user","1"]' : '["user","2"]', tagsOf(round)), 30)
        largest = Math.max(largest, size(keyv))
      }
      await world.clock.advance(5000)
      const before = await world.soon(registry.since('["user","1"]', start))

      expect(largest).toBeLessThan(2 ** 20 * 2.5)
      expect(keyv.keys('snapshot.').length).toBeGreaterThan(0)
      const reopened = await world.reopen(keyv.data)
      expect(await world.soon(reopened.since('["user","1"]', start))).toEqual(before)
    },
  )

  it('takes in what is recorded while a snapshot is written', { timeout: 60_000 }, async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const registry = world.open(keyv)
    const start = await world.soon(registry.head('s'))
    let seen = 0
    // Each part takes a while, in which the same tags and others are invalidated.
    keyv.delay = (key) => {
      if (!key.startsWith('snapshot.')) return undefined
      const round = 1000 + seen++
      void registry.record('s', [['during', round], ...tagsOf(round, 3)])
      return new Promise((resolve) => {
        world.clock.after(20, resolve)
      })
    }
    for (let round = 0; round < 60; round++) await world.soon(registry.record('s', tagsOf(round)), 30)
    await world.clock.advance(10_000)
    const before = await world.soon(registry.since('s', start))

    expect(seen).toBeGreaterThan(0)
    const reopened = await world.reopen(keyv.data)
    expect(await world.soon(reopened.since('s', start))).toEqual(before)
  })

  it('is bounded by the tags that a scope keeps, and by all scopes', { timeout: 60_000 }, async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const registry = world.open(keyv, { limits: { maxTagsPerScope: 100, maxBytes: 100_000 } })
    for (let round = 0; round < 400; round++) {
      await world.soon(
        registry.record(
          `["user","${round}"]`,
          Array.from({ length: 300 }, (_, i) => ['t', round, i]),
        ),
        10,
      )
    }
    await world.clock.advance(5000)

    expect(size(keyv)).toBeLessThan(2 ** 20 * 2)
  })

  it.each([
    ['snapshot.', 5],
    ['head.', 1],
    ['delete', 20],
  ])('is bounded after crashes at any time (%s after %i)', { timeout: 60_000 }, async (place, count) => {
    const world = new KeyvWorld()
    let data = new Map<string, unknown>()
    const sizes: number[] = []
    for (let crash = 0; crash < 8; crash++) {
      const keyv = new FaultyKeyv(new Map(data))
      const registry = world.open(keyv)
      await world.clock.advance(20_000)
      let left = count
      keyv.fault = (call, key) =>
        (place === 'delete' ? call === 'delete' : call === 'set' && key.startsWith(place)) && left-- <= 0
          ? 'hangs'
          : undefined
      for (let round = 0; round < 40; round++) await world.soon(registry.record('s', tagsOf(round)), 30)
      await world.clock.advance(500)
      data = keyv.data
      sizes.push(size(keyv))
    }
    const keyv = new FaultyKeyv(new Map(data))
    const registry = world.open(keyv)
    await world.clock.advance(20_000)
    for (let round = 0; round < 60; round++) await world.soon(registry.record('s', tagsOf(round)), 30)
    await world.clock.advance(5000)

    expect(size(keyv)).toBeLessThan(2 ** 20 * 2.5)
    expect(world.reports.filter((report) => String(report).includes('missing'))).toEqual([])
  })

  it('begins a new history when a part of the snapshot is missing (guarantee 3)', { timeout: 60_000 }, async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const registry = world.open(keyv)
    const start = await world.soon(registry.head('s'))
    for (let round = 0; round < 60; round++) await world.soon(registry.record('s', tagsOf(round)), 30)
    await world.clock.advance(5000)
    keyv.data.delete(keyv.keys('snapshot.')[1]!)

    const reopened = await world.reopen(keyv.data)

    expect(await world.soon(reopened.since('s', start))).toBe('expired')
  })

  it(
    'keeps to the head before when the last one is damaged, or begins anew; never a part (guarantee 3)',
    { timeout: 60_000 },
    async () => {
      const world = new KeyvWorld()
      const keyv = new FaultyKeyv()
      const registry = world.open(keyv)
      const start = await world.soon(registry.head('s'))
      for (let round = 0; round < 60; round++) await world.soon(registry.record('s', tagsOf(round)), 30)
      await world.clock.advance(5000)
      keyv.data.set('head.1.1', 'x')

      const reopened = await world.reopen(keyv.data)

      expect(await world.soon(reopened.since('s', start))).toBe('expired')
    },
  )

  it('has no value that a small column would cut', { timeout: 60_000 }, async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const registry = world.open(keyv)
    for (let round = 0; round < 60; round++) await world.soon(registry.record('s', tagsOf(round, 300)), 30)
    await world.soon(Promise.all(Array.from({ length: 2000 }, (_, i) => registry.record(`s${i}`, [['t', i]]))))

    expect(Math.max(...[...keyv.data.values()].map((value) => JSON.stringify(value).length))).toBeLessThan(65_536)
  })
})
