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
