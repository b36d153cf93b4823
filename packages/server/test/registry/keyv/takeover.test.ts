import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { openKeyvRegistry } from '../../../src/registry/keyv/keyv-registry.ts'
import { hasEnded, identifyProcess } from '../../../src/registry/keyv/process-identity.ts'
import { createGate } from '../../support/gate.ts'
import { FaultyKeyv } from './support/faulty-keyv.ts'
import { KeyvWorld, StoppableClock } from './support/world.ts'

describe('a second process on the same store', () => {
  it('is refused while the first lives, with an error that names it and the Redis way', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const first = world.open(keyv)
    await world.soon(first.record('s', [['a']]))

    const second = world.open(new FaultyKeyv(keyv.data))
    await world.clock.advance(120_000)

    for (const call of [second.record('s', [['b']]), second.head('s'), second.subscribe('s', () => undefined)]) {
      await expect(call).rejects.toThrow(/pid 1 on host-1.*new Keyv\({ store: new KeyvRedis\(url\) }\)/)
    }
    await expect(world.soon(first.record('s', [['c']]))).resolves.toHaveProperty('epoch')
    expect(world.reports).toHaveLength(1)
  })

  it('takes over by itself, and at once, when the first closes', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const first = world.open(keyv)
    const head = await world.soon(first.record('s', [['a']]))
    const second = world.open(new FaultyKeyv(keyv.data))
    await world.clock.advance(10_000)

    await world.soon(first.close())
    await world.clock.advance(1500)

    expect(await world.soon(second.head('s'))).toEqual(head)
  })

  it('takes over when the first was silent for some time', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const clock = new StoppableClock(world.clock)
    const first = world.open(keyv, { clock })
    const head = await world.soon(first.record('s', [['a']]))
    const second = world.open(new FaultyKeyv(keyv.data))
    await world.clock.advance(5000)

    clock.stop()
    await world.clock.advance(8000)
    const early = await second.head('s').catch((error: Error) => error.message)
    await world.clock.advance(12_000)

    expect(early).toContain('Another server')
    expect(await world.soon(second.head('s'))).toEqual(head)
  })

  it('is the only one from then on, also when the first goes on (guarantees 1, 2)', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const clock = new StoppableClock(world.clock)
    const first = world.open(keyv, { clock })
    const start = await world.soon(first.record('s', [['a']]))
    clock.stop()
    const second = world.open(new FaultyKeyv(keyv.data))
    await world.clock.advance(30_000)
    await world.soon(second.record('s', [['b']]))

    const late = first.record('s', [['late']])
    clock.resume()

    await expect(world.soon(late)).rejects.toThrow(/took over.*KeyvRedis/)
    await expect(first.head('s')).rejects.toThrow('took over')
    await world.clock.advance(10_000)
    await expect(first.record('s', [['later']])).rejects.toThrow('Another server')
    expect(await world.soon(second.since('s', start))).toMatchObject({ entries: [{ tags: [['b']] }] })
  })

  it('does not let the first go on reading from memory (guarantee 9)', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const clock = new StoppableClock(world.clock)
    const first = world.open(keyv, { clock })
    await world.soon(first.record('s', [['a']]))
    clock.stop()
    const second = world.open(new FaultyKeyv(keyv.data))
    await world.clock.advance(30_000)
    await world.soon(second.record('s', [['b']]))

    await expect(world.soon(first.head('s'))).rejects.toThrow('took over')
  })

  it('gives the store back, and what it recorded; listeners hear where that is', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const clock = new StoppableClock(world.clock)
    const first = world.open(keyv, { clock })
    const start = await world.soon(first.record('s', [['a']]))
    const heard: unknown[] = []
    await first.subscribe('s', (recorded) => heard.push(recorded))
    clock.stop()
    const second = world.open(new FaultyKeyv(keyv.data))
    await world.clock.advance(30_000)
    const head = await world.soon(second.record('s', [['b']]))
    clock.resume()
    await world.clock.advance(10_000)

    await world.soon(second.close())
    await world.clock.advance(3000)

    expect(heard).toEqual([{ ...head, prev: head.seq, tags: [] }])
    expect(await world.soon(first.since('s', start))).toMatchObject({ entries: [{ tags: [['b']] }] })
  })

  it('is refused, too, when both start at the same time', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const gate = createGate()
    // Both have found nobody before either has claimed.
    let waiting = 0
    keyv.delay = (key) => {
      if (key !== 'claim.1') return undefined
      if (++waiting === 2) gate.open()
      return gate.opened
    }

    const registries = [world.open(keyv), world.open(keyv)]
    await world.clock.advance(30_000)
    const outcomes = await world.soon(Promise.allSettled(registries.map((registry) => registry.record('s', [['a']]))))

    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  it('loses nothing when its claim arrives after another one has begun to record (guarantee 3)', async () => {
    const world = new KeyvWorld()
    const data = new Map<string, unknown>()
    const before = world.open(new FaultyKeyv(data))
    const start = await world.soon(before.record('s', [['a']]))
    await world.soon(before.close())
    const slow = new FaultyKeyv(data)
    const gate = createGate()
    slow.delay = (key) => (key === 'claim.2' ? gate.opened : undefined)

    const second = world.open(slow)
    await world.clock.advance(100)
    const quick = new FaultyKeyv(data)
    // What was before it is still there.
    quick.fault = (call) => (call === 'delete' ? 'rejects' : undefined)
    const first = world.open(quick)
    await world.soon(first.record('s', [['b']]))
    gate.open()
    await world.clock.advance(20_000)

    const registries = [first, second]
    const answers = await world.soon(Promise.allSettled(registries.map((registry) => registry.since('s', start))))
    const known = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
    expect(known).toHaveLength(1)
    // A new epoch is a reset, and so as good.
    expect(known[0] === 'expired' || JSON.stringify(known[0]).includes('["b"]')).toBe(true)
  })

  it('begins a new history when the store was emptied under the first, which notices (guarantee 3)', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const registry = world.open(keyv)
    const head = await world.soon(registry.record('s', [['a']]))

    keyv.data.clear()
    await expect(world.soon(registry.record('s', [['b']]))).rejects.toThrow('was emptied')
    await world.clock.advance(2000)

    expect(await world.soon(registry.since('s', head))).toBe('expired')
    await expect(world.soon(registry.record('s', [['b']]))).resolves.toHaveProperty('epoch')
  })

  it('opens when the one before closed without being able to say so', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const first = world.open(keyv)
    await world.soon(first.record('s', [['a']]))
    keyv.fault = () => 'rejects'
    await world.soon(first.close(), 4000)

    const second = await world.reopen(keyv.data)

    await expect(world.soon(second.head('s'))).resolves.toHaveProperty('epoch')
  })
})

describe('whether a process has ended', () => {
  it('is known at once of one that ran here', async () => {
    const here = await identifyProcess()
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'inherit'] })
    await once(child, 'spawn')
    const other = { ...here, pid: child.pid! }

    // On Linux the time at which it started tells it from the one that is meant.
    const whileItRuns = await hasEnded(here, here)
    child.kill('SIGKILL')
    await once(child, 'exit')

    expect(whileItRuns).toBe(false)
    expect(await hasEnded(other, here)).toBe(true)
  })

  it('is not known of one that ran elsewhere', async () => {
    const here = await identifyProcess()

    expect(await hasEnded({ ...here, place: 'elsewhere', pid: 2 ** 22 - 1 }, here)).toBe(false)
  })

  it.runIf(process.platform === 'linux')('is known though another process has its id', async () => {
    const here = await identifyProcess()

    expect(await hasEnded({ ...here, startedAt: '1' }, here)).toBe(true)
  })

  it('lets the next one in at once', async () => {
    const world = new KeyvWorld()
    const keyv = new FaultyKeyv()
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'inherit'] })
    await once(child, 'spawn')
    const here = await identifyProcess()
    const context = { clock: world.clock, report: () => undefined }
    const identify = () => Promise.resolve({ ...here, pid: child.pid! })
    const head = await world.soon(openKeyvRegistry(keyv, context, { identify }).record('s', [['a']]))
    child.kill('SIGKILL')
    await once(child, 'exit')

    const next = openKeyvRegistry(new FaultyKeyv(new Map(keyv.data)), context)

    await expect.poll(() => world.soon(next.head('s')).catch(() => undefined)).toEqual(head)
  })
})
