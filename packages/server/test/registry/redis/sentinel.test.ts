import { createHash } from 'node:crypto'
import KeyvRedis from '@keyv/redis'
import KeyvValkey from '@keyv/valkey'
import { Redis } from 'iovalkey'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import { findRedisClient } from '../../../src/registry/redis/find-client.ts'
import { openRedisRegistry } from '../../../src/registry/redis/redis-registry.ts'
import type { Recorded } from '../../../src/registry/tag-registry.ts'
import { RedisSentinel } from '../../support/redis-sentinel.ts'
import { hasRedis } from '../../support/redis-server.ts'

const stores = {
  'node-redis': ({ nodes, name }: RedisSentinel): unknown =>
    new KeyvRedis({ name, sentinelRootNodes: nodes, maxCommandRediscovers: Infinity }),
  iovalkey: ({ nodes, name }: RedisSentinel): unknown =>
    new KeyvValkey(new Redis({ name, sentinels: nodes, lazyConnect: true })),
}

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

describe.skipIf(!hasRedis)('with Sentinel', { timeout: 60_000 }, () => {
  it.each(Object.entries(stores))('%s follows the master (guarantee 1)', async (_, toStore) => {
    const sentinel = await RedisSentinel.start()
    closing.push(() => sentinel.stop())
    const client = findRedisClient(toStore(sentinel))!
    const registry = openRedisRegistry(client, 'keyv', { clock: systemClock, report: () => undefined })
    closing.push(() => registry.close())
    const heard: Recorded[] = []
    await registry.subscribe('s', (recorded) => heard.push(recorded))
    const before = await registry.record('s', [['before']])
    await expect.poll(() => heard.length).toBe(1)

    await sentinel.master.kill()

    const again = (): Promise<unknown> => registry.record('s', [['after']]).catch(() => undefined)
    await expect.poll(again, { timeout: 30_000, interval: 200 }).toBeDefined()
    expect(await registry.since('s', before)).toBe('expired')
    const key = `query-tags:keyv:0:{${createHash('sha256').update('s').digest('hex')}}`
    expect(await sentinel.replica.cli('ZRANGEBYSCORE', key, '(0', '+inf')).toContain('["after"]')
    const { epoch } = await registry.head('s')
    await expect.poll(() => heard.some((recorded) => recorded.epoch === epoch), { timeout: 20_000 }).toBe(true)
  })
})
