import { createMemoryRegistry } from '@query-tags/server'
import { describe, expect, it, vi } from 'vitest'
import { EarlyAnswer } from './support/early-answer.ts'
import { ServerClock } from './support/server-clock.ts'
import { World } from './support/world.ts'

vi.setConfig({ testTimeout: 30_000 })

/** What a client waits before it comes back, at least. */
const RETRY_MS = 500
/** For timers of a busy machine. */
const NOISE_MS = 800

describe('a connection that is lost', () => {
  it('without a word (blackholed) is found and repaired within 2.5 heartbeats (guarantee 9)', async () => {
    const heartbeatMs = 800
    const world = await World.start({ heartbeatMs })
    world.bind()
    world.show('a')
    await world.settled()

    world.proxy.blackhole()
    const lostAt = performance.now()
    await world.change('a')
    await world.until(() => world.state !== 'live')
    const foundMs = performance.now() - lostAt
    await world.settled()
    const repairedMs = performance.now() - lostAt

    expect(foundMs).toBeLessThan(2.5 * heartbeatMs + NOISE_MS)
    expect(repairedMs).toBeLessThan(2.5 * heartbeatMs + RETRY_MS + NOISE_MS)
    expect(world.resets).toEqual([])
    expect(world.fetches).toEqual(['a', 'a'])
  })

  it('by a reset is repaired at the first attempt (guarantees 1, 9)', async () => {
    const world = await World.start()
    world.bind()
    world.show('a')
    await world.settled()

    world.proxy.cut()
    await world.change('a')
    await world.settled()

    expect(world.proxy.accepted).toBeLessThanOrEqual(3)
    expect(world.fetches).toEqual(['a', 'a'])
  })

  it('leaves no half-open peer at the server: the client says which one it replaces (guarantee 13)', async () => {
    const world = await World.start()
    world.bind()
    world.show('a')
    await world.settled()

    world.proxy.blackhole()
    await world.until(() => world.state !== 'live')
    await world.settled()

    await expect.poll(() => world.server.system.stats().connections).toBe(1)
  })
})

describe('a client that was away', () => {
  it('while 3 of 200 tags changed refetches the queries of those 3 only (guarantee 1)', async () => {
    const world = await World.start()
    world.bind()
    world.show(...Array.from({ length: 200 }, (_, i) => `tag ${i}`))
    await world.settled()
    world.fetches.length = 0

    world.proxy.isRefusing = true
    world.proxy.cut()
    await world.change('tag 7', 'tag 77')
    await world.change('tag 177')
    await world.change('tag of nobody')
    world.proxy.isRefusing = false
    await world.settled()

    expect(world.fetches.sort()).toEqual(['tag 177', 'tag 7', 'tag 77'])
    expect(world.resets).toEqual([])
  })

  it('past the floor gets exactly one reset (guarantees 1, 3)', async () => {
    const clock = new ServerClock()
    const world = await World.start({ store: createMemoryRegistry({ clock, maxTagsPerScope: 10 }), clock })
    clock.shift(60_000)
    world.bind()
    world.show('a', 'b')
    await world.settled()

    world.proxy.isRefusing = true
    world.proxy.cut()
    await world.change('a')
    for (let i = 0; i < 20; i++) await world.change(`other ${i}`)
    world.proxy.isRefusing = false
    await world.settled()
    await world.change('b')
    await world.settled()

    expect(world.resets).toEqual(['expired'])
    expect(world.fetches.sort()).toEqual(['a', 'a', 'b', 'b', 'b'])
  })

  it('over a restart that lost the memory gets exactly one reset (guarantees 1, 3)', async () => {
    const world = await World.start()
    world.bind()
    world.show('a', 'b')
    await world.settled()

    await world.change('a')
    await world.server.restart()
    await world.settled()
    await world.change('b')
    await world.settled()

    expect(world.resets).toEqual(['epoch'])
  })
})

describe('a bad moment', () => {
  it('a cut between hello and the end of the replay loses nothing (guarantees 1, 5)', async () => {
    const world = await World.start()
    world.bind()
    world.show('a', 'b', 'c')
    await world.settled()

    world.proxy.isRefusing = true
    world.proxy.cut()
    await world.change('a')
    await world.change('b')
    await world.change('c')
    const cut = world.proxy.cutAfter('event: invalidate')
    world.proxy.isRefusing = false
    await cut
    await world.settled()

    expect(world.outdated).toEqual([])
    expect(world.resets).toEqual([])
  })

  it('a cut inside the hello loses nothing (guarantees 1, 5)', async () => {
    const world = await World.start()
    world.bind()
    world.show('a')
    await world.settled()

    world.proxy.cut()
    const cut = world.proxy.cutAfter('"connection"')
    await cut
    await world.change('a')
    await world.settled()

    expect(world.fetches).toEqual(['a', 'a'])
  })

  it('a heartbeat while a watch request is in flight, then a cut: the tag is asked for from where its data were read (guarantees 1, 5)', async () => {
    let isHeld = false
    let held = 0
    const world = await World.start({}, (input, init) => {
      if (!isHeld || !isWatch(input)) return fetch(input, init)
      held++
      // On its way for ever, until it is given up.
      return new Promise((_, reject) => {
        init!.signal!.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
      })
    })
    world.bind()
    world.show('a')
    await world.settled()

    isHeld = true
    world.show('late')
    await world.until(() => held > 0)
    await world.change('late')
    // The server tells nobody of the change, and the heartbeat raises the cursor over it.
    await world.heartbeat()
    expect(world.outdated).toEqual(['late'])
    isHeld = false
    world.proxy.cut()
    await world.settled()

    expect(world.fetches).toEqual(['a', 'late', 'late'])
    expect(world.resets).toEqual([])
  })

  it('an invalidation between the page’s load and its first connect is not lost (guarantee 1)', async () => {
    const world = await World.start()
    world.proxy.isRefusing = true
    world.bind()
    world.show('a')
    await world.until(() => world.fetches.length === 1)

    await world.change('a')
    await world.until(() => world.state === 'waiting')
    world.proxy.isRefusing = false
    await world.settled()

    expect(world.outdated).toEqual([])
  })

  it('an invalidation while the server is still slow to say hello is not lost (guarantees 1, 6)', async () => {
    const world = await World.start()
    world.proxy.passage = { kind: 'delay', ms: 100 }
    world.bind()
    world.show('a')
    await world.until(() => world.server.system.stats().connections === 1)

    await world.change('a')
    await world.settled()

    expect(world.fetches).toEqual(['a', 'a'])
  })

  it('a hello that comes too late is a reset: the age that was sent with the request no longer reaches back (guarantee 1)', async () => {
    const early = new EarlyAnswer()
    const world = await World.start({}, early.fetch)
    world.bind()
    world.show('a')
    await world.until(() => early.isWaiting)
    await world.change('a')

    for (let i = 0; i < 2; i++) {
      // Less than the watchdog's patience each time, more than the 15 s that a hello may take together.
      for (const time of [world.server.clock, world.environment]) time.shift(19_000)
      await early.comment()
      await world.until(() => world.received.split(':').length > i + 1)
    }
    early.forward()
    await world.settled()

    expect(world.resets).toEqual(['late'])
    expect(world.outdated).toEqual([])
  })
})

describe('a proxy that', () => {
  it('drips one byte at a time changes nothing', async () => {
    const world = await World.start()
    world.proxy.passage = { kind: 'drip' }
    world.bind()
    world.show('a', 'grüße', '😀')
    await world.settled()

    await world.change('a', 'grüße', '😀')
    await world.settled()

    expect(world.fetches.sort()).toEqual(['a', 'a', 'grüße', 'grüße', '😀', '😀'].sort())
  })

  it('buffers the stream never shows as live, and all is well once it stops (guarantee 9)', async () => {
    const world = await World.start()
    world.proxy.passage = { kind: 'buffer', bytes: 65_536 }
    world.bind()
    world.show('a')
    const states = new Set<string>()
    world.client.subscribe(() => states.add(world.state))
    await world.until(() => world.server.system.stats().connections === 1)

    await world.change('a')
    world.environment.shift(20_000)
    await world.until(() => world.state === 'waiting')
    expect([...states]).not.toContain('live')
    world.proxy.passage = { kind: 'pass' }
    await world.settled()

    expect(world.outdated).toEqual([])
  })
})

describe('whatever breaks, one after the other,', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'in the end every query has what the database has (guarantee 1), seed %i',
    async (seed) => {
      const world = await World.start()
      const random = seededRandom(seed)
      const names = Array.from('abcdefgh')
      const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
      const faults: Record<string, () => unknown> = {
        none: () => undefined,
        cut: () => world.proxy.cut(),
        blackhole: () => world.proxy.blackhole(),
        cutReplay: () => void world.proxy.cutAfter('event: inval'),
        cutHeartbeat: () => void world.proxy.cutAfter('event: heart'),
        refuse: () => (world.proxy.isRefusing = true),
        accept: () => (world.proxy.isRefusing = false),
        drip: () => (world.proxy.passage = { kind: 'drip' }),
        delay: () => (world.proxy.passage = { kind: 'delay', ms: 50 }),
        pass: () => (world.proxy.passage = { kind: 'pass' }),
        restart: () => world.server.restart(),
        mount: () => world.show(pick(names)),
      }
      world.bind()
      world.show('a', 'b', 'c')

      for (let i = 0; i < 40; i++) {
        await faults[pick(Object.keys(faults))]!()
        await world.change(pick(names))
        // Sometimes all of it is over before the next, sometimes it comes in the middle.
        if (random() < 0.2 && !world.proxy.isRefusing) await world.until(() => world.state === 'live')
      }
      world.proxy.isRefusing = false
      world.proxy.passage = { kind: 'pass' }
      await world.settled()

      expect(world.outdated).toEqual([])
    },
    30_000,
  )
})

/** Our client asks for strings. */
function isWatch(input: Parameters<typeof fetch>[0]): boolean {
  return typeof input === 'string' && input.endsWith('/watch')
}

/** mulberry32 */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
