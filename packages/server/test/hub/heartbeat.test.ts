import type { Scope } from '@query-tags/core'
import { describe, expect, it } from 'vitest'
import type { TestSink } from '../support/test-sink.ts'
import { createWorld, GLOBAL } from '../support/world.ts'

describe('heartbeats', () => {
  it('come once in heartbeatMs with the position that the stream is at', async () => {
    const world = createWorld({ heartbeatMs: 8000 })
    const sink = await world.connect()
    await world.clock.advance(8000)
    const unwatched = await world.invalidate(['other'])

    await world.clock.advance(8000)

    expect(sink.events).toEqual(['hello', 'heartbeat', 'heartbeat'])
    expect(sink.all('heartbeat')[0]).toEqual({ cursor: sink.hello.cursor, verified: true, retryMs: 500 })
    expect(sink.all('heartbeat')[1]?.cursor).toEqual({ [GLOBAL]: unwatched })
  })

  it('carry the cursor as event ID', async () => {
    const world = createWorld()
    const sink = await world.connect()

    await world.clock.advance(8000)

    const ids = [...sink.text.matchAll(/^id: (.*)$/gm)].map((match) => JSON.parse(match[1]!) as unknown)
    expect(ids).toEqual([sink.hello.cursor, sink.all('heartbeat')[0]?.cursor])
  })

  it('say so when the registry can not be asked (guarantee 9)', async () => {
    const world = createWorld()
    const sink = await world.connect()
    world.registry.fail('head')
    await world.clock.advance(8000)

    world.registry.mend()
    await world.clock.advance(8000)

    expect(sink.all('heartbeat').map(({ verified }) => verified)).toEqual([false, true])
    expect(world.errors).toMatchObject([{ phase: 'registry' }])
  })

  it('are not late when the registry hangs', async () => {
    const world = createWorld({ heartbeatMs: 1000 })
    const sink = await world.connect()
    world.registry.hold('head')

    await world.clock.advance(10_000)

    const beats = sink.all('heartbeat')
    expect(beats.length).toBeGreaterThanOrEqual(8)
    expect(beats.every(({ verified }) => !verified)).toBe(true)
  })

  it('are spread over the interval, each encoded once for connections at the same place, with one timer', async () => {
    const world = createWorld({ heartbeatMs: 8000 })
    const sinks: TestSink[] = await Promise.all(Array.from({ length: 320 }, () => world.connect()))
    expect(world.system.stats().timers).toBe(1)
    await world.clock.advance(250)

    const first = sinks.filter((sink) => sink.chunks.length > 1)
    await world.clock.advance(7750)

    expect(first).toHaveLength(10)
    expect(new Set(first.map((sink) => sink.chunks[1])).size).toBe(1)
    expect(sinks.every((sink) => sink.all('heartbeat').length === 1)).toBe(true)
  })

  it('stop with the last connection, and start with the next', async () => {
    const world = createWorld()
    const sink = await world.connect()
    sink.leave()
    await world.clock.advance(1)
    expect(world.clock.timers).toBe(0)

    const next = await world.connect()
    await world.clock.advance(8000)

    expect(next.events).toEqual(['hello', 'heartbeat'])
  })
})

describe('the heads of scopes are asked for', () => {
  it('once in heartbeatMs each, however many connections are in them', async () => {
    const world = createWorld<string>({ heartbeatMs: 8000, resolveScope: scopesOf })
    for (let i = 0; i < 200; i++) await world.connect({}, String(i % 100))
    await world.clock.advance(8000)
    world.registry.calls.length = 0

    await world.clock.advance(80_000)

    const counts = new Map<string, number>()
    for (const { scope } of world.registry.calls) counts.set(scope, (counts.get(scope) ?? 0) + 1)
    // 100 users, 4 teams, everyone, and the log of disconnects.
    expect(counts.size).toBe(106)
    expect([...counts].filter(([, count]) => count !== 10)).toEqual([])
  })

  it('in one task for all that are due in a turn', async () => {
    const world = createWorld<string>({ heartbeatMs: 8000, resolveScope: scopesOf })
    for (let i = 0; i < 320; i++) await world.connect({}, String(i))
    const tasks: number[] = []
    let calls = 0
    const head = world.registry.head.bind(world.registry)
    world.registry.head = (scope) => {
      // Runs when all microtasks of this task have.
      if (calls++ === 0)
        process.nextTick(() => {
          tasks.push(calls)
          calls = 0
        })
      return head(scope)
    }

    await world.clock.advance(8000)

    // A turn each quarter of a second: ten users, of whom one team shares a turn. Everyone and the log of disconnects are in the first.
    const teams = 1
    expect(tasks).toEqual([10 + teams + 2, 10 + teams, 10 + teams, 10 + teams, ...Array.from({ length: 28 }, () => 10)])
  })

  it('again at once by the next who beats, when the registry could not answer (guarantee 9)', async () => {
    const world = createWorld({ heartbeatMs: 8000 })
    const sinks = await Promise.all(Array.from({ length: 32 }, () => world.connect()))
    await world.clock.advance(8000)
    world.registry.fail('head')
    await world.clock.advance(250)
    world.registry.mend()

    await world.clock.advance(7750)

    expect(sinks.map((sink) => sink.all('heartbeat')[1]?.verified)).toEqual([
      false,
      ...Array.from({ length: 31 }, () => true),
    ])
  })

  it('before a heartbeat says so, also one that begins while another still waits for the answer (guarantee 9)', async () => {
    const world = createWorld({ heartbeatMs: 8000 })
    const sinks = await Promise.all(Array.from({ length: 32 }, () => world.connect()))
    await world.clock.advance(8000)
    world.registry.hold('head')

    await world.clock.advance(1750)
    expect(sinks.filter((sink) => sink.all('heartbeat').length > 1)).toEqual([])
    await world.clock.advance(500)

    const second = sinks.map((sink) => sink.all('heartbeat')[1]?.verified)
    expect(second.slice(0, 8)).toEqual(Array.from({ length: 8 }, () => false))
  })

  it('at the latest a heartbeat after a message was lost, which brings it to all (guarantee 9)', async () => {
    const world = createWorld({ heartbeatMs: 8000 })
    const sinks = await Promise.all(Array.from({ length: 64 }, () => world.connect()))
    await world.clock.advance(8000)
    world.registry.isLost = () => true

    await world.invalidate(['a'])
    await world.clock.advance(8000)

    expect(sinks.filter((sink) => sink.tags.length !== 1)).toEqual([])
  })
})

describe('the length of a stream', () => {
  it('is maxStreamMs give or take a fifth; then it ends with a bye (guarantee 13)', async () => {
    const world = createWorld({ maxStreamMs: 100_000, heartbeatMs: 1000 })
    const sinks = await Promise.all(Array.from({ length: 50 }, () => world.connect()))
    const ended = (): number => sinks.filter((sink) => sink.isEnded).length

    await world.clock.advance(79_000)
    expect(ended()).toBe(0)
    await world.clock.advance(20_000)
    expect(ended()).toBeGreaterThan(10)
    expect(ended()).toBeLessThan(40)
    await world.clock.advance(23_000)

    expect(ended()).toBe(50)
    expect(sinks[0]!.all('bye')).toEqual([{ reason: 'reauthorize', retryMs: 0 }])
    expect(world.system.stats()).toMatchObject({ connections: 0, timers: 0 })
  })

  it('is not limited with null', async () => {
    const world = createWorld({ maxStreamMs: null, heartbeatMs: 25_000 })
    const sink = await world.connect()

    await world.clock.advance(10_000_000)

    expect(sink.isEnded).toBe(false)
  })
})

/** A user, and one of four teams. */
function scopesOf(id: string): Scope[] {
  return [
    { kind: 'user', id },
    { kind: 'team', id: String(Number(id) % 4) },
  ]
}
