import { createHash } from 'node:crypto'
import KeyvRedis from '@keyv/redis'
import type { StreamRequest } from '@query-tags/core'
import { Keyv } from 'keyv'
import { afterEach, describe, expect, it } from 'vitest'
import { createTagInvalidationSystem } from '../../../src/create-system.ts'
import type { TagInvalidationSystem } from '../../../src/tag-invalidation-system.ts'
import { hasRedis } from '../../support/redis-server.ts'
import { RedisWorld } from '../../support/redis-world.ts'
import { openSink, type TestSink } from '../../support/test-sink.ts'
import { toRequest } from '../../support/world.ts'

const world = new RedisWorld()
const systems: TagInvalidationSystem[] = []
afterEach(async () => {
  await Promise.all(systems.splice(0).map((system) => system.close()))
  await world.close()
})

/** A process, with streams that beat twice a second. */
function start(url: string): TagInvalidationSystem {
  const store = new Keyv({ store: new KeyvRedis(url) })
  const system = createTagInvalidationSystem({ store, heartbeatMs: 500, onError: () => undefined })
  systems.push(system)
  return system
}

/** A client's stream, after its hello. */
async function connect(system: TagInvalidationSystem, message: Partial<StreamRequest> = {}): Promise<TestSink> {
  const body = { v: 1, ageMs: 0, watcher: 'w', watch: '*', ...message }
  const sink = openSink(await system.respond(toRequest({ body }), () => undefined))
  await expect.poll(() => sink.all('hello').length).toBe(1)
  return sink
}

const tagsOf = (sink: TestSink): unknown[] => sink.all('invalidate').flatMap(({ tags }) => tags)

describe.skipIf(!hasRedis)('two processes on one Redis', () => {
  it('tell the clients of each other', async () => {
    const server = await world.server()
    const [one, other] = [start(server.url), start(server.url)]
    const sinks = [await connect(one), await connect(other)]

    const receipt = await one.invalidateTags({ tags: [['a']] })

    for (const sink of sinks) {
      await expect.poll(() => sink.all('invalidate')).toMatchObject([{ at: receipt.at, tags: [['a']] }])
    }
  })

  it('repair a message that was lost between them with the next one (guarantee 9)', async () => {
    const server = await world.server()
    const proxy = await world.proxy(server)
    const sink = await connect(start(proxy.url))
    const other = start(server.url)
    await other.invalidateTags({ tags: [['first']] })
    await expect.poll(() => tagsOf(sink)).toEqual([['first']])

    proxy.lose('lost')
    await other.invalidateTags({ tags: [['lost']] })
    await expect.poll(() => proxy.dropped).toBe(1)
    await other.invalidateTags({ tags: [['next']] })

    await expect.poll(() => tagsOf(sink)).toEqual([['first'], ['lost'], ['next']])
    expect(sink.all('reset')).toEqual([])
  })

  it('repair a lost message with a heartbeat, when no other follows (guarantee 9)', async () => {
    const server = await world.server()
    const proxy = await world.proxy(server)
    const sink = await connect(start(proxy.url))
    const other = start(server.url)

    proxy.lose('lost')
    await other.invalidateTags({ tags: [['lost']] })

    await expect.poll(() => tagsOf(sink)).toEqual([['lost']])
    expect(proxy.dropped).toBe(1)
    expect(sink.all('reset')).toEqual([])
  })

  it('keep their streams while Redis is down, say so, and reset them when it comes back (guarantee 9)', async () => {
    const server = await world.server()
    const system = start(server.url)
    const sink = await connect(system)

    await server.kill()
    await expect.poll(() => sink.all('heartbeat').at(-1)?.verified).toBe(false)
    await expect(system.invalidateTags({ tags: [['a']] })).rejects.toMatchObject({ code: 'registry-unavailable' })
    await server.start()

    await expect.poll(() => sink.all('reset').length).toBeGreaterThan(0)
    await expect.poll(() => sink.all('heartbeat').at(-1)?.verified).toBe(true)
    expect(sink.isEnded).toBe(false)
    await expect.poll(() => system.invalidateTags({ tags: [['b']] }).catch(() => undefined)).toBeDefined()
    await expect.poll(() => tagsOf(sink)).toContainEqual(['b'])
  })

  it('may start before Redis does: clients are brought up to date when it is there', async () => {
    const server = await world.server()
    await server.kill()
    const system = start(server.url)
    const body = { v: 1, ageMs: 0, watcher: 'w', watch: '*' }
    const sink = openSink(await system.respond(toRequest({ body }), () => undefined))

    await server.start()

    await expect.poll(() => sink.all('heartbeat').at(-1)?.verified).toBe(true)
    await system.invalidateTags({ tags: [['a']] })
    await expect.poll(() => tagsOf(sink)).toContainEqual(['a'])
  })

  it('need one round trip for an invalidation, and one for each scope that a client resumes in', async () => {
    const proxy = await world.proxy(await world.server())
    const system = start(proxy.url)
    const { at } = await system.invalidateTags({ tags: [['a']] })
    const key = `query-tags:keyv:0:{${createHash('sha256').update('["global",null]').digest('hex')}}`
    const countScripts = (): number => proxy.count('EVALSHA') + proxy.count('EVAL')
    const [scripts, records] = [countScripts(), proxy.count(key, 'record')]

    for (let i = 0; i < 20; i++) await system.invalidateTags({ tags: [['a'], [i]] })

    expect(proxy.count(key, 'record') - records).toBe(20)
    // Looking after what was recorded lately comes by itself, however many there are.
    expect(countScripts() - scripts - proxy.count(key, 'head')).toBe(20)
    await connect(system, { cursor: { '["global",null]': at } })
    expect(proxy.count(key, 'since')).toBe(1)
  })

  it('leave no connection and no timer when they are closed (guarantee 13)', async () => {
    const server = await world.server()
    const system = start(server.url)
    const sink = await connect(system)
    await system.invalidateTags({ tags: [['a']] })
    sink.leave()

    await system.close()

    expect(system.stats().timers).toBe(0)
    await expect.poll(async () => (await server.cli('CLIENT', 'LIST')).split('\n').length).toBe(1)
  })
})
