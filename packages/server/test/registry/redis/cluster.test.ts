import { createHash } from 'node:crypto'
import type { Position } from '@query-tags/core'
import KeyvRedis from '@keyv/redis'
import KeyvValkey from '@keyv/valkey'
import { Cluster } from 'iovalkey'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import { findRedisClient } from '../../../src/registry/redis/find-client.ts'
import { ACL_RULE, CLUSTER_ACL_RULE } from '../../../src/registry/redis/permissions.ts'
import { openRedisRegistry } from '../../../src/registry/redis/redis-registry.ts'
import type { Recorded, TagRegistry } from '../../../src/registry/tag-registry.ts'
import { describeRegistry } from '../../registry-conformance.ts'
import { RedisCluster } from '../../support/redis-cluster.ts'
import { hasRedis } from '../../support/redis-server.ts'

interface User {
  readonly username: string
  readonly password: string
}

const stores = {
  'node-redis': ({ nodes }: RedisCluster, user?: User): unknown =>
    new KeyvRedis({ rootNodes: nodes.map((socket) => ({ socket })), ...(user && { defaults: user }) }),
  iovalkey: ({ nodes }: RedisCluster, user?: User): unknown =>
    new KeyvValkey(new Cluster(nodes, { lazyConnect: true, redisOptions: { ...user } })),
}

function fail(error: unknown): never {
  throw error
}

describe.skipIf(!hasRedis)('over a Redis Cluster', { timeout: 60_000 }, () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await RedisCluster.start()
  }, 60_000)
  afterAll(() => cluster.stop())

  describe.each(Object.entries(stores))('with %s', (name, toStore) => {
    const opened: TagRegistry[] = []
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((registry) => registry.close()))
    })
    const open = (maxTagsPerScope = 100_000, user?: User): TagRegistry => {
      const context = { clock: systemClock, report: fail }
      const registry = openRedisRegistry(findRedisClient(toStore(cluster, user))!, name, context, { maxTagsPerScope })
      opened.push(registry)
      return registry
    }
    const create = async (
      maxTagsPerScope?: number,
    ): Promise<{ registry: TagRegistry; elapse: (ms: number) => Promise<void> }> => {
      await Promise.all(cluster.servers.map((server) => server.cli('FLUSHALL')))
      return { registry: open(maxTagsPerScope), elapse: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) }
    }

    // What is between the library and the server is the same for both.
    if (name === 'node-redis') describeRegistry('the Redis registry', () => create(), create)

    it('keeps what belongs to a scope in one slot, and scopes on all servers', async () => {
      const { registry } = await create()

      await Promise.all(Array.from({ length: 30 }, (_, i) => registry.record(`scope ${i}`, [['a']])))

      const counts = await Promise.all(cluster.servers.map(async (server) => Number(await server.cli('DBSIZE'))))
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(30)
      expect(Math.min(...counts)).toBeGreaterThan(0)
    })

    it('needs no more rights than those that are printed', async () => {
      const rules = `${ACL_RULE} ${CLUSTER_ACL_RULE}`.split(' ')
      await Promise.all(cluster.servers.map((server) => server.cli('ACL', 'SETUSER', 'app', 'on', '>secret', ...rules)))
      const registry = open(1, { username: 'app', password: 'secret' })
      const heard: Recorded[] = []
      await registry.subscribe('s', (recorded) => heard.push(recorded))

      await registry.record('s', [['a']])
      const head = await registry.record('s', [['b']])

      await expect.poll(() => heard).toContainEqual(expect.objectContaining(head))
      expect(await registry.since('s', head)).toMatchObject({ entries: [] })
    })

    it('follows a slot that moves: calls, subscriptions and history (guarantee 1)', async () => {
      const { registry } = await create()
      const other = open()
      const heard: Recorded[] = []
      await registry.subscribe('s', (recorded) => heard.push(recorded))
      const before = await other.record('s', [['before']])
      await expect.poll(() => heard.length).toBe(1)
      const key = `query-tags:${name}:0:{${createHash('sha256').update('s').digest('hex')}}`

      let midway: Position | undefined
      await cluster.moveSlot(key, async () => {
        midway = await other.record('s', [['midway']])
      })
      expect(midway).toBeDefined()
      expect(midway!.epoch).not.toBe(before.epoch)

      const after = await other.record('s', [['after']])
      expect(after.epoch).not.toBe(before.epoch)
      expect(await registry.since('s', before)).toBe('expired')
      // The move is told by an epoch, in a message or a head without tags, and soon each message is heard again.
      const toldEpochs = (): string[] => heard.map(({ epoch }) => epoch)
      await expect.poll(toldEpochs, { timeout: 20_000 }).toContain(after.epoch)
      const hears = async (): Promise<boolean> => {
        const { seq } = await other.record('s', [['again']])
        await new Promise((resolve) => setTimeout(resolve, 100))
        return heard.some((recorded) => recorded.seq === seq && recorded.tags.length === 1)
      }
      await expect.poll(hears, { timeout: 20_000 }).toBe(true)
    })
  })
})
