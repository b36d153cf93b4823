import { describe, expect, it } from 'vitest'
import { settle } from '../support/fake-clock.ts'
import { openSink } from '../support/test-sink.ts'
import { createWorld } from '../support/world.ts'

const EMPTY = { connections: 0, endingConnections: 0, scopes: 0, watchedTags: 0, backlogBytes: 0, timers: 0 }

describe('a closed response', () => {
  it('leaves nothing behind (guarantee 13)', async () => {
    const world = createWorld({ resolveScope: () => [{ kind: 'user', id: '7' }, { kind: 'team' }] })
    const sinks = await Promise.all(Array.from({ length: 50 }, (_, i) => world.connect({ watch: [['t', i]] })))
    await world.watch({ connection: sinks[0]!.hello.connection, from: {}, add: [['more']] })
    expect(world.system.stats()).toMatchObject({ connections: 50, scopes: 3, watchedTags: 153 })

    for (const sink of sinks) sink.leave()
    await settle()

    expect(world.system.stats()).toMatchObject(EMPTY)
    expect(world.clock.timers).toBe(0)
  })

  it('leaves nothing behind in a scope where others stay (guarantee 13)', async () => {
    const world = createWorld()
    const staying = await world.connect({ watch: [['stays']] })
    const leaving = await world.connect({ watch: [['a'], ['b']] })
    const everything = await world.connect({ watch: '*' })

    leaving.leave()
    everything.leave()
    await settle()
    await world.invalidate(['a'])

    expect(world.system.stats()).toMatchObject({ connections: 1, watchedTags: 1 })
    expect([leaving, everything, staying].map((sink) => sink.events)).toEqual([['hello'], ['hello'], ['hello']])
  })

  it('is nothing when it closed before it was opened', async () => {
    const world = createWorld()
    const outcome = await world.respond({ body: { v: 1, ageMs: 0, watcher: 'w', watch: '*' } })

    if (outcome.kind === 'stream') outcome.discard()

    expect(world.system.stats()).toMatchObject(EMPTY)
  })

  it('is taken for closed when no writer opened it', async () => {
    const world = createWorld({ heartbeatMs: 8000, limits: { maxConnections: 1 } })
    await world.respond({ body: { v: 1, ageMs: 0, watcher: 'w', watch: '*' } })

    await world.clock.advance(20_000)

    expect(world.system.stats()).toMatchObject(EMPTY)
    expect((await world.connect()).events).toEqual(['hello'])
  })

  it('may be told of any number of times', async () => {
    const world = createWorld()
    const sink = await world.connect()
    const other = await world.connect()

    sink.source?.closed()
    sink.source?.drained()
    sink.source?.closed()

    expect(world.system.stats().connections).toBe(1)
    expect(other.isEnded).toBe(false)
  })
})

describe('replaces', () => {
  it('ends the connection of the same client that it names', async () => {
    const world = createWorld({
      resolveScope: () => ({ kind: 'user', id: '7' }),
      limits: { maxConnectionsPerScope: 1 },
    })
    const old = await world.connect()

    const sink = await world.connect({ replaces: old.hello.connection })

    expect(sink.events).toEqual(['hello'])
    expect(old.all('bye')).toEqual([{ reason: 'replaced', retryMs: 0 }])
    expect(old.isEnded).toBe(true)
  })

  it('does nothing to a connection of other scopes (guarantee 11)', async () => {
    const world = createWorld<string>({ resolveScope: (id) => ({ kind: 'user', id }) })
    const foreign = await world.connect({}, '8')

    await world.connect({ replaces: foreign.hello.connection }, '7')

    expect(foreign.events).toEqual(['hello'])
    expect(world.system.stats().connections).toBe(2)
  })
})

describe('close', () => {
  it('says goodbye, refuses new requests, and leaves nothing behind (guarantee 13)', async () => {
    const world = createWorld()
    const sink = await world.connect()

    const closing = world.system.close()
    const refused = await world.respond({ body: { v: 1, ageMs: 0, watcher: 'w', watch: '*' } })
    await closing

    expect(sink.all('bye')).toEqual([{ reason: 'shutdown', retryMs: 500 }])
    expect(sink.isEnded).toBe(true)
    // The next process has room: nobody waits for as long as when there is none.
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    expect(world.system.stats()).toMatchObject(EMPTY)
    await expect(world.system.invalidateTags({ tags: [['a']] })).rejects.toMatchObject({ code: 'closed' })
    expect(await world.system.cursor()).toEqual({})
  })

  it('spreads the goodbyes over drainMs', async () => {
    const world = createWorld()
    const sinks = await Promise.all(Array.from({ length: 10 }, () => world.connect()))
    const closing = world.system.close({ drainMs: 1000 })

    await world.clock.advance(500)
    const halfway = sinks.filter((sink) => sink.isEnded).length
    await world.clock.advance(500)
    await closing

    expect(halfway).toBeGreaterThan(3)
    expect(halfway).toBeLessThan(8)
    expect(sinks.every((sink) => sink.isEnded)).toBe(true)
  })

  it('takes its time for a long drainMs, and its deadline after it', async () => {
    const world = createWorld()
    const sinks = await Promise.all(Array.from({ length: 10 }, () => world.connect()))
    sinks[0]!.stop()
    const closing = world.system.close({ drainMs: 20_000 })

    await world.clock.advance(10_100)
    const halfway = sinks.filter((sink) => sink.isEnded).length
    await world.clock.advance(10_000)
    await closing

    expect(halfway).toBe(6)
  })

  it('still invalidates while it drains', async () => {
    const world = createWorld()
    await world.connect()
    const second = await world.connect()
    const closing = world.system.close({ drainMs: 1000 })
    await world.clock.advance(100)

    await world.invalidate(['a'])

    expect(second.tags).toEqual(['["a"]'])
    await world.clock.advance(1000)
    await closing
  })

  it('cuts off readers that do not fetch their goodbye, shortly after it', async () => {
    const world = createWorld()
    const sink = await world.connect()
    sink.stop()
    const closing = world.system.close()

    await world.clock.advance(1500)
    await closing

    expect(sink.isDestroyed).toBe(true)
    expect(world.system.stats()).toMatchObject(EMPTY)
  })

  it('settles at its deadline, whatever the responses do', async () => {
    const world = createWorld()
    const sink = await world.connect()
    sink.stop()
    sink.destroy = () => undefined
    const closing = world.system.close({ deadlineMs: 1000 })

    await world.clock.advance(1000)

    await expect(closing).resolves.toBeUndefined()
  })

  it('is the same however often it is called, and with nothing open', async () => {
    const world = createWorld()

    expect(world.system.close()).toBe(world.system.close())
    await world.system.close()
  })

  it('says goodbye in place of a hello to a stream that was admitted before', async () => {
    const world = createWorld()
    const outcome = await world.respond({ body: { v: 1, ageMs: 0, watcher: 'w', watch: '*' } })
    const closing = world.system.close()
    const sink = openSink(outcome)
    await closing

    expect(sink.events).toEqual(['bye'])
    expect(world.system.stats()).toMatchObject(EMPTY)
  })
})
