import type { Position } from '@query-tags/core'
import { describe, expect, it } from 'vitest'
import { FaultyKeyv } from './support/faulty-keyv.ts'
import { KeyvWorld } from './support/world.ts'

/** A store in which three invalidations were recorded one after the other, each in a chunk of its own. */
async function recordThree(world: KeyvWorld): Promise<{ keyv: FaultyKeyv; start: Position; last: Position }> {
  const keyv = new FaultyKeyv()
  const registry = world.open(keyv)
  const start = await world.soon(registry.head('s'))
  await world.soon(registry.record('s', [['a']]))
  await world.soon(registry.record('s', [['b']]))
  const last = await world.soon(registry.record('s', [['c']]))
  return { keyv, start, last }
}

function edit(keyv: FaultyKeyv, key: string, change: (text: string) => string): void {
  keyv.data.set(key, change(keyv.data.get(key) as string))
}

describe('what was recorded before', () => {
  it('is there after a crash, position by position (guarantee 1)', async () => {
    const world = new KeyvWorld()
    const { keyv, start, last } = await recordThree(world)

    const registry = await world.reopen(keyv.data)

    expect(await world.soon(registry.since('s', start))).toMatchObject({
      from: start,
      entries: [{ tags: [['a']] }, { tags: [['b']] }, { tags: [['c']] }],
      head: last,
    })
    expect((await world.soon(registry.record('s', [['d']]))).seq).toBeGreaterThan(last.seq)
  })

  it('is there after a hundred crashes, and takes no more space', async () => {
    const world = new KeyvWorld()
    const { keyv, start } = await recordThree(world)
    let { data } = keyv
    const sizes: number[] = []
    for (let i = 0; i < 100; i++) {
      data = new Map(data)
      const registry = world.open(new FaultyKeyv(data))
      await world.clock.advance(20_000)
      await world.soon(registry.record('s', [[`t${i % 5}`]]))
      sizes.push(data.size)
    }

    const registry = await world.reopen(data)

    const missed = await world.soon(registry.since('s', start))
    expect(missed).toMatchObject({ entries: { length: 8 } })
    // A claim for each start is left.
    expect(Math.max(...sizes)).toBeLessThan(100 + 50)
  })

  it('has the scopes that nobody recorded in, too', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const head = await world.soon(world.open(keyv).head('["user","1"]'))

    const registry = await world.reopen(keyv.data)

    expect(await world.soon(registry.head('["user","1"]'))).toEqual(head)
  })

  it('does not answer for an age that reaches back to another process (guarantee 3)', async () => {
    const world = new KeyvWorld()
    const { keyv } = await recordThree(world)
    await world.clock.advance(100_000)
    const registry = await world.reopen(keyv.data)
    await world.clock.advance(10_000)

    expect(await world.soon(registry.since('s', { ageMs: 5000 }))).toMatchObject({ entries: [] })
    expect(await world.soon(registry.since('s', { ageMs: 60_000 }))).toBe('expired')
  })

  it('is over when a chunk in the middle is missing (guarantee 3)', async () => {
    const world = new KeyvWorld()
    const { keyv, start } = await recordThree(world)
    keyv.data.delete(keyv.keys('log.')[1]!)

    const registry = await world.reopen(keyv.data)

    expect(await world.soon(registry.since('s', start))).toBe('expired')
    expect(world.reports.map(String).join()).toContain('is missing')
  })

  it('is over when the last chunks that were known to be kept are missing (guarantee 3)', async () => {
    const world = new KeyvWorld()
    const { keyv, start } = await recordThree(world)
    await world.clock.advance(5000)
    keyv.data.delete(keyv.keys('log.')[3]!)
    keyv.data.delete(keyv.keys('log.')[2]!)

    const registry = await world.reopen(keyv.data)

    expect(await world.soon(registry.since('s', start))).toBe('expired')
  })

  it.each(['', '{}', '[1,"log.x.",2,[]]', '[1'])('is over when a chunk is %j (guarantee 3)', async (text) => {
    const world = new KeyvWorld()
    const { keyv, start } = await recordThree(world)
    keyv.data.set(keyv.keys('log.')[1]!, text)

    const registry = await world.reopen(keyv.data)

    expect(await world.soon(registry.since('s', start))).toBe('expired')
  })

  it('is over for the scope of which a record is missing (guarantee 3)', async () => {
    const world = new KeyvWorld()
    const { keyv, start } = await recordThree(world)
    edit(keyv, keyv.keys('log.')[1]!, (text) => text.replace(/\[\["s".*$/, '[]]'))

    const registry = await world.reopen(keyv.data)

    expect(await world.soon(registry.since('s', start))).toBe('expired')
  })

  it('is over when its head is damaged', async () => {
    const world = new KeyvWorld()
    const { keyv, start } = await recordThree(world)
    keyv.data.set('head.1.0', 'x')

    const registry = await world.reopen(keyv.data)

    expect(await world.soon(registry.since('s', start))).toBe('expired')
    await expect(world.soon(registry.record('s', [['d']]))).resolves.toHaveProperty('epoch')
  })

  it('is over when there are traces of two owners (guarantee 3)', async () => {
    const world = new KeyvWorld()
    const { keyv, start } = await recordThree(world)
    edit(keyv, 'claim.1', (text) => text.replace(/"\w+-1"/, '"another-1"'))

    const registry = await world.reopen(keyv.data)

    expect(await world.soon(registry.since('s', start))).toBe('expired')
  })

  it('does not go on with a chunk that arrives after somebody else took over', async () => {
    const world = new KeyvWorld()
    const { keyv, start } = await recordThree(world)
    const late = keyv.keys('log.')[3]!
    const text = keyv.data.get(late)
    const data = new Map(keyv.data)
    data.delete(late)
    const second = world.open(new FaultyKeyv(data))
    await world.clock.advance(20_000)
    await world.soon(second.record('s', [['d']]))

    data.set(late, text)
    const third = await world.reopen(data)

    expect(await world.soon(third.since('s', start))).toMatchObject({
      entries: [{ tags: [['a']] }, { tags: [['b']] }, { tags: [['d']] }],
    })
  })
})

describe('a store of another format', () => {
  it('is left alone; clients are reset once, and nothing is lost (guarantee 14)', async () => {
    const world = new KeyvWorld()
    const { keyv, start } = await recordThree(world)
    edit(keyv, 'head.1.0', (text) => text.replace(/^\[1/, '[2'))
    const newer = new Map(keyv.data)
    const data = new Map(newer)

    const registry = world.open(new FaultyKeyv(data))
    await world.clock.advance(20_000)

    expect(await world.soon(registry.since('s', start))).toBe('expired')
    expect(world.reports.map(String).join()).toContain('format 2')
    const position = await world.soon(registry.record('s', [['d']]))
    await world.clock.advance(20_000)
    const untouched = [...newer].filter(([key]) => !key.startsWith('claim.'))
    expect([...data]).toEqual(expect.arrayContaining(untouched))
    const again = await world.reopen(data)
    expect(await world.soon(again.head('s'))).toEqual(position)
  })

  it('keeps a process out while one of another format is alive', async () => {
    const world = new KeyvWorld()
    const { keyv } = await recordThree(world)
    edit(keyv, 'claim.1', (text) => text.replace(/^\[1/, '[2').replace(/]$/, ',"more"]'))
    let beats = 0
    const beat = (): void => {
      keyv.data.set('beat.1', `[2,"x",${++beats},"more"]`)
      if (beats < 20) world.clock.after(3000, beat)
    }
    beat()

    const registry = world.open(new FaultyKeyv(keyv.data))
    await world.clock.advance(40_000)

    await expect(registry.head('s')).rejects.toThrow('Another server')
  })
})
