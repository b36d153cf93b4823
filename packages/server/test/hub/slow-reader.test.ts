import { describe, expect, it } from 'vitest'
import { createWorld, GLOBAL } from '../support/world.ts'

const USER = '["user","7"]'

describe('a reader that stops reading', () => {
  it('gets each tag once, in one frame per scope, when it reads on (guarantee 10)', async () => {
    const world = createWorld({ resolveScope: () => ({ kind: 'user', id: '7' }) })
    const sink = await world.connect({ watch: [['a'], ['b'], ['c'], ['d']] })
    sink.stop()
    await world.invalidate(['a'])
    for (let i = 0; i < 100; i++) await world.invalidate([i % 2 ? 'b' : 'c'], ['unwatched'])
    const { at } = await world.system.invalidateTags({ tags: [['d']], scope: { kind: 'user', id: '7' } })
    await world.invalidate(['unwatched'])
    expect(sink.events).toEqual(['hello', 'invalidate'])

    sink.resume()

    const [, merged, ofUser] = sink.all('invalidate')
    expect(merged).toMatchObject({ scope: GLOBAL, tags: [['c'], ['b']] })
    expect(ofUser).toEqual({ scope: USER, at, tags: [['d']] })
    await world.invalidate(['a'])
    expect(sink.tags.at(-1)).toBe('["a"]')
  })

  it('gets one reset in place of a backlog over 64 KiB, and holds no more memory than that (guarantee 10)', async () => {
    const world = createWorld()
    const sink = await world.connect({ watch: '*' })
    sink.stop()
    let most = 0
    for (let i = 0; i < 2000; i++) {
      await world.system.invalidateTags({ tags: [['x'.repeat(100), i]] })
      most = Math.max(most, world.system.stats().backlogBytes)
    }
    const at = await world.invalidate(['last'])

    sink.resume()

    expect(most).toBeGreaterThan(32_768)
    expect(most).toBeLessThanOrEqual(65_536)
    expect(sink.chunks).toHaveLength(3)
    expect(sink.all('reset')).toEqual([{ scopes: [GLOBAL], cursor: { [GLOBAL]: at }, reason: 'overflow', spreadMs: 1 }])
    expect(world.system.stats()).toMatchObject({ backlogBytes: 0, resets: { overflow: 1 } })
  })

  it('does not slow down anybody else', async () => {
    const world = createWorld()
    const slow = await world.connect()
    const quick = await world.connect()
    slow.stop()

    for (let i = 0; i < 50; i++) await world.invalidate(['a'])

    expect(slow.all('invalidate')).toHaveLength(1)
    expect(quick.all('invalidate')).toHaveLength(50)
  })

  it('gets the heartbeat after the backlog, since its cursor covers it (guarantee 5)', async () => {
    const world = createWorld({ heartbeatMs: 8000 })
    const sink = await world.connect()
    sink.stop()
    await world.invalidate(['a'])
    const at = await world.invalidate(['a'])
    await world.clock.advance(8000)
    expect(sink.events).toEqual(['hello', 'invalidate'])

    sink.resume()

    expect(sink.events).toEqual(['hello', 'invalidate', 'invalidate', 'heartbeat'])
    expect(sink.all('heartbeat')[0]?.cursor).toEqual({ [GLOBAL]: at })
  })

  it('is cut off after the stall limit, and nothing of it is left (guarantee 13)', async () => {
    const world = createWorld()
    const sink = await world.connect()
    sink.stop()
    await world.invalidate(['a'])
    await world.clock.advance(29_000)
    expect(sink.isDestroyed).toBe(false)

    await world.clock.advance(1000)

    expect(sink.isDestroyed).toBe(true)
    expect(world.system.stats()).toMatchObject({ connections: 0, endingConnections: 0, watchedTags: 0, timers: 0 })
  })

  it('may be slow for ever as long as it goes on', async () => {
    const world = createWorld({ maxStreamMs: null })
    const sink = await world.connect()
    for (let i = 0; i < 10; i++) {
      sink.stop()
      await world.invalidate(['a'])
      await world.clock.advance(20_000)
      sink.resume()
    }

    expect(sink.isDestroyed).toBe(false)
  })

  it('gets the resets of its channel after what was written, one for all that it missed', async () => {
    const world = createWorld()
    const sink = await world.connect()
    sink.stop()
    await world.invalidate(['a'])
    await world.invalidate(['a'])
    world.registry.isLost = () => true
    for (let i = 0; i < 1001; i++) await world.system.invalidateTags({ tags: [['t', i]] })
    await world.clock.advance(8000)

    sink.resume()

    expect(sink.events.slice(0, 4)).toEqual(['hello', 'invalidate', 'reset', 'heartbeat'])
  })
})

describe('a response that fails', () => {
  it('does not fail whoever invalidates, nor the other readers', async () => {
    const world = createWorld()
    const broken = await world.connect()
    const other = await world.connect()
    broken.write = () => {
      throw new Error('broken')
    }

    await world.invalidate(['a'])

    expect(other.tags).toEqual(['["a"]'])
    expect(broken.isDestroyed).toBe(true)
    expect(world.system.stats().connections).toBe(1)
    expect(world.errors).toMatchObject([{ phase: 'stream' }])
  })
})

describe('live frames', () => {
  it('are the same bytes for every connection that watches any of the tags, and go to no other', async () => {
    const world = createWorld()
    const [a, b, all, other] = await Promise.all([
      world.connect({ watch: [['a']] }),
      world.connect({ watch: [['b']] }),
      world.connect({ watch: '*' }),
      world.connect({ watch: [['c']] }),
    ])

    await world.invalidate(['a'], ['b'])

    expect(a.tags).toEqual(['["a"]', '["b"]'])
    expect(a.chunks[1]).toBe(b.chunks[1])
    expect(a.chunks[1]).toBe(all.chunks[1])
    expect(other.events).toEqual(['hello'])
  })

  it('stay in their scope (guarantee 11)', async () => {
    const world = createWorld<{ id: string }>({ resolveScope: ({ id }) => ({ kind: 'user', id }) })
    const seven = await world.connect({ watch: '*' }, { id: '7' })
    const eight = await world.connect({ watch: '*' }, { id: '8' })

    await world.system.invalidateTags({ tags: [['secret']], scope: { kind: 'user', id: '7' } })
    await world.clock.advance(8000)

    expect(seven.tags).toEqual(['["secret"]'])
    expect(eight.text).not.toContain('secret')
    expect(eight.text).not.toContain('["user","7"]')
    expect(eight.text).not.toContain('\\"7\\"')
    expect(eight.all('heartbeat')[0]?.cursor).toEqual(eight.hello.cursor)
  })
})
