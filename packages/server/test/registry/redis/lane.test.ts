import { describe, expect, it } from 'vitest'
import { Lane } from '../../../src/registry/redis/lane.ts'
import type { ConnectionEvents, RedisConnection } from '../../../src/registry/redis/redis-driver.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'

interface Attempt {
  readonly events: ConnectionEvents
  readonly signal: AbortSignal
  readonly answer: (value: string) => void
  readonly isClosed: () => boolean
  readonly succeed: () => void
  readonly fail: (error: Error) => void
}

/** A lane of which each connection is opened, and answers, when the test says so. */
function createLane(): { lane: Lane; clock: FakeClock; attempts: Attempt[]; told: string[] } {
  const clock = new FakeClock()
  const attempts: Attempt[] = []
  const told: string[] = []
  const connect = (events: ConnectionEvents, signal: AbortSignal): Promise<RedisConnection> =>
    new Promise((resolve, reject) => {
      const answers: ((value: string) => void)[] = []
      let closed = false
      const connection: RedisConnection = {
        send: () => new Promise((answer) => answers.push(answer)),
        subscribe: () => Promise.resolve(),
        unsubscribe: () => Promise.resolve(),
        close: () => {
          closed = true
        },
      }
      attempts.push({
        events,
        signal,
        answer: (value) => answers.shift()?.(value),
        isClosed: () => closed,
        succeed: () => resolve(connection),
        fail: reject,
      })
    })
  const lane = new Lane(connect, clock, {
    onOpen: () => told.push('open'),
    onLost: () => told.push('lost'),
    onMessage: (_, message) => told.push(message),
    onUnsubscribed: () => undefined,
  })
  return { lane, clock, attempts, told }
}

/** A call, which may fail before the test looks. */
function ask(lane: Lane): Promise<unknown> {
  const call = lane.call((connection) => connection.send(['PING']))
  call.catch(() => undefined)
  return call
}

describe('a lane', () => {
  it('lets calls wait for the first connection, and refuses them at once after it failed (guarantee 2)', async () => {
    const { lane, clock, attempts } = createLane()
    const early = ask(lane)
    await settle()
    expect(lane.inFlight).toBe(1)

    attempts[0]!.fail(new Error('refused'))

    await expect(early).rejects.toThrow('refused')
    await expect(ask(lane)).rejects.toThrow('There is no connection to Redis: refused')
    expect(lane.inFlight).toBe(0)
    await clock.advance(100)
    attempts[1]!.succeed()
    await settle()
    const answer = ask(lane)
    await settle()
    attempts[1]!.answer('PONG')
    await expect(answer).resolves.toBe('PONG')
  })

  it('waits longer and longer before it connects again, two seconds at most', async () => {
    const { lane, clock, attempts } = createLane()
    lane.open()
    const startedAt: number[] = []
    while (attempts.length < 12) {
      startedAt.push(clock.now())
      const count = attempts.length
      attempts[count - 1]!.fail(new Error('refused'))
      while (attempts.length === count) await clock.advance(10)
    }

    const pauses = startedAt.slice(1).map((at, i) => at - startedAt[i]!)
    expect(pauses[0]).toBeLessThanOrEqual(110)
    expect(Math.min(...pauses.slice(-4))).toBeGreaterThanOrEqual(1000)
    expect(Math.max(...pauses)).toBeLessThanOrEqual(2010)
  })

  it('collects no more than 10,000 calls (guarantee 2)', async () => {
    const { lane, attempts } = createLane()
    const calls = Array.from({ length: 10_001 }, () => ask(lane))

    await expect(calls.at(-1)).rejects.toThrow('10000 calls wait')

    attempts[0]!.fail(new Error('refused'))
    const settled = await Promise.allSettled(calls)
    expect(settled.every(({ status }) => status === 'rejected')).toBe(true)
    expect(lane.inFlight).toBe(0)
  })

  it('gives up a connection that answers nothing for ten seconds, and keeps a slow one (guarantee 9)', async () => {
    const { lane, clock, attempts, told } = createLane()
    const first = ask(lane)
    attempts[0]!.succeed()
    await settle()
    const second = ask(lane)
    await settle()
    await clock.advance(9000)
    attempts[0]!.answer('PONG')
    await expect(first).resolves.toBe('PONG')
    await clock.advance(9000)
    expect(attempts[0]!.isClosed()).toBe(false)

    await clock.advance(1001)

    await expect(second).rejects.toThrow('has not answered')
    expect(attempts[0]!.isClosed()).toBe(true)
    expect(told).toEqual(['open', 'lost'])
  })

  it('gives up an attempt that takes too long, and closes what comes of it (guarantee 13)', async () => {
    const { lane, clock, attempts } = createLane()
    const call = ask(lane)
    await clock.advance(5000)
    await expect(call).rejects.toThrow('did not let us in')
    expect(attempts[0]!.signal.aborted).toBe(true)

    attempts[0]!.succeed()
    await settle()

    expect(attempts[0]!.isClosed()).toBe(true)
    expect(lane.isOpen).toBe(false)
  })

  it('keeps nothing of a call that the library refused to send', async () => {
    const { lane, clock, attempts } = createLane()
    lane.open()
    attempts[0]!.succeed()
    await settle()

    const call = lane.call(() => {
      throw new TypeError('no such argument')
    })

    await expect(call).rejects.toThrow('no such argument')
    expect(lane.inFlight).toBe(0)
    expect(clock.timers).toBe(0)
  })

  it('does not hear a connection that it gave up', async () => {
    const { lane, attempts, told } = createLane()
    lane.open()
    attempts[0]!.succeed()
    await settle()

    lane.renew(new Error('over'))
    attempts[0]!.events.message('channel', 'late')
    attempts[0]!.events.lost(new Error('late'))

    expect(told).toEqual(['open', 'lost'])
  })

  it('leaves a server that refuses to do anything, for another one (guarantee 9)', async () => {
    const { lane, attempts } = createLane()
    lane.open()
    attempts[0]!.succeed()
    await settle()

    const refused = lane.call(() => Promise.reject(new Error("READONLY You can't write against a read only replica.")))

    await expect(refused).rejects.toThrow('READONLY')
    expect(attempts[0]!.isClosed()).toBe(true)
  })

  it.each(['connecting', 'open', 'waiting to connect again'])(
    'leaves no timer and no call when it is closed while %s (guarantee 13)',
    async (state) => {
      const { lane, clock, attempts } = createLane()
      const call = ask(lane)
      if (state === 'open') attempts[0]!.succeed()
      if (state === 'waiting to connect again') attempts[0]!.fail(new Error('refused'))
      await settle()

      lane.close()

      await expect(call).rejects.toThrow(Error)
      await expect(ask(lane)).rejects.toMatchObject({ code: 'closed' })
      attempts[0]!.succeed()
      await settle()
      expect(clock.timers).toBe(0)
      expect(lane.isOpen).toBe(false)
    },
  )
})
