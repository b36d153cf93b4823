import { createHash } from 'node:crypto'
import type { PlainTag, Position } from '@query-tags/core'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import type { Missed, Recorded, TagRegistry } from '../../../src/registry/tag-registry.ts'
import { fastClock } from '../../support/fast-clock.ts'
import { hasRedis } from '../../support/redis-server.ts'
import { RedisWorld } from '../../support/redis-world.ts'

const world = new RedisWorld()
afterEach(() => world.close())

async function listen(registry: TagRegistry, scope: string): Promise<Recorded[]> {
  const heard: Recorded[] = []
  await registry.subscribe(scope, (recorded) => heard.push(recorded))
  return heard
}

/** A read, again until the registry has a connection. */
async function readSince(registry: TagRegistry, after: Position): Promise<Missed | 'expired'> {
  let answer: Missed | 'expired' | undefined
  await expect
    .poll(async () => {
      answer = await registry.since('s', after).catch(() => undefined)
      return answer
    })
    .toBeDefined()
  return answer!
}

/** Listeners were told of the last record, by its message or, when it came too early for that, by a look at the head. */
async function expectToldHead(registry: TagRegistry, heard: readonly Recorded[]): Promise<void> {
  const head = await registry.head('s')
  await expect.poll(() => heard).toContainEqual(expect.objectContaining(head))
}

function tagsOf(answer: Missed | 'expired'): unknown {
  return answer === 'expired' ? answer : answer.entries.flatMap(({ tags }) => tags)
}

/** Key and channel of the scope: with the namespace of the Keyv, the number of the database and a digest. */
const KEY = `query-tags:keyv:0:{${createHash('sha256').update('s').digest('hex')}}`

describe.skipIf(!hasRedis)('a Redis registry', () => {
  it('starts a new epoch when Redis was flushed, and tells it with the next record (guarantee 3)', async () => {
    const server = await world.server()
    const [listening, writing] = [world.registry(server.url), world.registry(server.url)]
    const before = await writing.record('s', [['before']])
    const heard = await listen(listening, 's')

    await server.cli('FLUSHALL')
    const after = await writing.record('s', [['after']])

    expect(after.epoch).not.toBe(before.epoch)
    expect(await listening.since('s', before)).toBe('expired')
    await expect.poll(() => heard).toMatchObject([{ ...after, tags: [['after']] }])
  })

  it('starts a new epoch in a scope that Redis evicted (guarantee 3)', async () => {
    const server = await world.server()
    const registry = world.registry(server.url)
    const before = await registry.record('s', [['a']])

    await server.cli('DEL', KEY)

    expect((await registry.head('s')).epoch).not.toBe(before.epoch)
    expect(await registry.since('s', before)).toBe('expired')
  })

  it.each([
    ['without persistence', []],
    ['with everything it had', ['--appendonly', 'yes', '--appendfsync', 'always']],
  ])('starts a new epoch when Redis comes back %s (guarantee 3)', async (_, settings) => {
    const server = await world.server({ settings })
    const registry = world.registry(server.url)
    const heard = await listen(registry, 's')
    const before = await registry.record('s', [['a']])
    await expect.poll(() => heard.length).toBe(1)

    await server.kill()
    await server.start()

    expect(await readSince(registry, before)).toBe('expired')
    await expectToldHead(registry, heard)
    await registry.record('s', [['b']])
    await expectToldHead(registry, heard)
  })

  it.each(['node-redis', 'iovalkey'] as const)(
    'connects anew over %s, and leaves nothing (guarantee 13)',
    async (library) => {
      const server = await world.server()
      const proxy = await world.proxy(server)
      const registry = world.registry(proxy.url, { library })
      const heard = await listen(registry, 's')
      await registry.record('s', [['a']])
      await expectToldHead(registry, heard)

      for (let i = 0; i < 3; i++) {
        proxy.cut()
        await expect.poll(() => registry.record('s', [[i]]).catch(() => undefined)).toBeDefined()
        await expectToldHead(registry, heard)
      }
      await registry.close()

      await expect.poll(async () => (await server.cli('CLIENT', 'LIST')).split('\n').length).toBe(1)
    },
  )

  it('refuses at once while Redis is down, and goes on when it is back (guarantee 2)', async () => {
    const server = await world.server()
    const registry = world.registry(server.url)
    const heard = await listen(registry, 's')
    await registry.record('s', [['before']])
    await server.kill()
    await expect(registry.record('s', [['lost']])).rejects.toMatchObject({ code: 'registry-unavailable' })

    const refusals = await Promise.allSettled(Array.from({ length: 1000 }, () => registry.record('s', [['lost']])))

    expect(refusals.every(({ status }) => status === 'rejected')).toBe(true)
    await server.start()
    await expect.poll(() => registry.record('s', [['after']]).catch(() => undefined)).toBeDefined()
    await expectToldHead(registry, heard)
  })

  it('gives up a connection on which nothing is answered, and collects no calls without bound (guarantee 2)', async () => {
    const server = await world.server()
    const registry = world.registry(server.url, { clock: fastClock(10), report: () => undefined })
    const heard = await listen(registry, 's')
    await registry.record('s', [['before']])
    server.pause()

    const calls = Array.from({ length: 10_100 }, (_, i) => registry.record('s', [['during', i % 10]]))

    const settled = await Promise.allSettled(calls)
    expect(settled.filter(({ status }) => status === 'rejected')).toHaveLength(10_100)
    const reasons = settled.map((each) => String((each as PromiseRejectedResult).reason))
    expect(reasons.filter((reason) => reason.includes('10000 calls wait'))).not.toHaveLength(0)
    server.continue()
    await expect.poll(() => registry.record('s', [['after']]).catch(() => undefined)).toBeDefined()
    await expectToldHead(registry, heard)
  })

  it('may be opened before Redis is', async () => {
    const server = await world.server()
    await server.kill()
    const registry = world.registry(server.url, { report: () => undefined })
    await expect(registry.head('s')).rejects.toMatchObject({ code: 'registry-unavailable' })
    await expect(registry.subscribe('s', () => undefined)).rejects.toMatchObject({ code: 'registry-unavailable' })

    await server.start()

    await expect.poll(() => registry.subscribe('s', () => undefined).catch(() => undefined)).toBeDefined()
    await expect.poll(() => registry.head('s').catch(() => undefined)).toBeDefined()
  })

  it('starts a new epoch on a promoted replica that lacks the tail, and records it again (guarantee 1)', async () => {
    const [master, replica] = [await world.server(), await world.server()]
    const proxy = await world.proxy(master)
    const registry = world.registry(proxy.url, { report: () => undefined })
    const heard = await listen(registry, 's')
    const before = await registry.record('s', [['replicated']])
    await replica.replicate(master)
    await replica.cli('REPLICAOF', '127.0.0.1', '1')
    const tail = await registry.record('s', [['tail']])

    await master.kill()
    await replica.promote()
    proxy.retarget(replica.port)

    expect(await readSince(registry, before)).toBe('expired')
    expect(await registry.since('s', tail)).toBe('expired')
    const stored = (): Promise<string> => replica.cli('ZRANGEBYSCORE', KEY, '(0', '+inf')
    await expect.poll(stored).toBe('["replicated"]\n["tail"]')
    await expectToldHead(registry, heard)
  })

  it('leaves a master that became a replica, though its connections stay', async () => {
    const [old, promoted] = [await world.server(), await world.server()]
    const proxy = await world.proxy(old)
    const registry = world.registry(proxy.url, { report: () => undefined })
    await registry.record('s', [['before']])

    proxy.turn(promoted.port)
    await old.replicate(promoted)

    await expect.poll(() => registry.record('s', [['after']]).catch(() => undefined)).toBeDefined()
    expect(await promoted.cli('ZSCORE', KEY, '["after"]')).not.toBe('')
  })

  it('records again what a master that was cut off had acknowledged (guarantee 1)', async () => {
    const [old, promoted] = [await world.server(), await world.server()]
    const proxy = await world.proxy(old)
    const cutOff = world.registry(proxy.url, { clock: fastClock(10), report: () => undefined })
    await cutOff.head('s')
    await promoted.replicate(old)
    await promoted.promote()
    // The others moved, and were reset, before this process records.
    const moved = world.registry(promoted.url)
    const heard = await listen(moved, 's')
    const reset = await moved.head('s')
    const acknowledged = await cutOff.record('s', [['acknowledged']])
    expect(acknowledged.epoch).not.toBe(reset.epoch)

    proxy.retarget(promoted.port)

    await expect.poll(() => heard.flatMap(({ tags }) => tags)).toContainEqual(['acknowledged'])
    expect(tagsOf(await moved.since('s', reset))).toEqual([['acknowledged']])
  })

  it('looks after what it recorded by itself, though nothing else asks it to (guarantee 1)', async () => {
    const [old, promoted] = [await world.server(), await world.server()]
    const proxy = await world.proxy(old)
    const registry = world.registry(proxy.url, { clock: fastClock(10), report: () => undefined })
    await registry.record('s', [['acknowledged']])

    proxy.turn(promoted.port)
    await old.replicate(promoted)

    await expect.poll(() => promoted.cli('ZRANGEBYSCORE', KEY, '(0', '+inf')).toBe('["acknowledged"]')
  })

  it('tells its listeners to look after they could not be told (guarantee 9)', async () => {
    const server = await world.server()
    const proxy = await world.proxy(server)
    const [registry, other] = [world.registry(proxy.url), world.registry(server.url)]
    const heard = await listen(registry, 's')
    proxy.isRefusing = true
    proxy.cutSubscribers()

    const head = await other.record('s', [['meanwhile']])
    proxy.isRefusing = false

    await expect.poll(() => heard).toEqual([{ ...head, prev: head.seq, tags: [] }])
  })

  it('tells its listeners to look once it can, when subscriptions are back before calls are (guarantee 9)', async () => {
    const server = await world.server()
    const proxy = await world.proxy(server)
    const [registry, other] = [world.registry(proxy.url), world.registry(server.url)]
    const heard = await listen(registry, 's')
    await registry.head('s')
    proxy.isRefusing = true
    proxy.cutCallers()
    await expect.poll(() => registry.head('s').catch(() => undefined)).toBeUndefined()

    await server.cli('PUBLISH', KEY, 'not readable')
    const head = await other.record('another', [['a']]).then(() => other.head('s'))
    await expect.poll(() => registry.head('s').catch(() => undefined)).toBeUndefined()
    expect(heard).toEqual([])
    proxy.isRefusing = false

    await expect.poll(() => heard).toEqual([{ ...head, prev: head.seq, tags: [] }])
  })

  it('does not answer for an age once the clock of Redis was set forward (guarantee 1)', async () => {
    const server = await world.server()
    let behindMs = 0
    const clock = { ...systemClock, now: () => performance.now() - behindMs }
    const registry = world.registry(server.url, { clock })
    const head = await registry.record('s', [['a']])
    expect(await registry.since('s', { ageMs: 0 })).toMatchObject({ head })

    behindMs = 60_000

    expect(await registry.since('s', { ageMs: 0 })).toBe('expired')
    expect(await registry.since('s', head)).toMatchObject({ head })
  })

  it('lets a scope begin anew when it recorded too much there to do it again (guarantee 1)', async () => {
    const [old, promoted] = [await world.server(), await world.server()]
    const proxy = await world.proxy(old)
    const cutOff = world.registry(proxy.url, { clock: fastClock(10), report: () => undefined })
    await promoted.replicate(old)
    await promoted.promote()
    const moved = world.registry(promoted.url)
    const reset = await moved.head('s')
    for (let i = 0; i < 11; i++) {
      await cutOff.record(
        's',
        Array.from({ length: 1000 }, (_, j): PlainTag => [i, j]),
      )
    }

    proxy.retarget(promoted.port)

    await expect.poll(() => moved.since('s', reset)).toBe('expired')
  })

  it('takes a scope of another format for lost, whichever is newer (guarantee 14)', async () => {
    const server = await world.server()
    const [first, second] = [world.registry(server.url), world.registry(server.url)]
    for (const format of [0, 2]) {
      const before = await first.record('s', [['a']])
      const state = await server.cli('ZRANGE', KEY, '0', '0')
      await server.cli('ZREM', KEY, state)
      await server.cli('ZADD', KEY, '-1', state.replace(/^!\d+/, `!${format}`))
      const heard = await listen(second, 's')

      const after = await first.record('s', [['b']])

      expect(after.epoch).not.toBe(before.epoch)
      expect(await second.since('s', before)).toBe('expired')
      expect(await second.head('s')).toEqual(after)
      await expect.poll(() => heard.at(-1)).toMatchObject({ ...after, tags: [['b']] })
    }
  })

  it('counts the calls that made it forget something', async () => {
    const registry = world.registry((await world.server()).url, { maxTagsPerScope: 2 })

    await registry.record('s', [['a'], ['b']])
    expect(registry.floorRaisedCount).toBe(0)
    await registry.record('s', [['c']])

    expect(registry.floorRaisedCount).toBe(1)
  })

  it('tells its listeners to look when a message can not be read (guarantee 14)', async () => {
    const server = await world.server()
    const registry = world.registry(server.url)
    const head = await registry.record('s', [['a']])
    const heard = await listen(registry, 's')

    await server.cli('PUBLISH', KEY, '{"format":2,"epoch":"e"}')
    await server.cli('PUBLISH', KEY, 'not JSON')
    await server.cli('PUBLISH', KEY, JSON.stringify({ format: 1, epoch: 'e', prev: 1, seq: 2, tags: [5] }))

    const look = { ...head, prev: head.seq, tags: [] }
    await expect.poll(() => heard).toEqual([look, look, look])
  })

  it('subscribes again when it does not hear what was recorded (guarantee 9)', async () => {
    const server = await world.server()
    const proxy = await world.proxy(server)
    const registry = world.registry(proxy.url, { clock: fastClock(10) })
    const heard = await listen(registry, 's')
    await registry.record('s', [['heard']])
    await expect.poll(() => heard.length).toBe(1)
    proxy.unsubscribe(KEY)

    await expect
      .poll(async () => {
        await registry.record('s', [['again']])
        await registry.head('s')
        return heard.filter(({ tags }) => JSON.stringify(tags) === '[["again"]]').length
      })
      .toBeGreaterThan(0)
  })
})
