import { createHash } from 'node:crypto'
import { expect, it, onTestFinished } from 'vitest'
import { RedisCluster } from '../../server/test/support/redis-cluster.ts'
import { Fleet } from '../src/fleet.ts'

/** Invalidations that a part of the test has to see acknowledged. */
const BUSY = 50

async function acknowledges(fleet: Fleet, count: number): Promise<void> {
  const before = fleet.tally.acknowledged
  await expect.poll(() => fleet.tally.acknowledged - before, { timeout: 20_000 }).toBeGreaterThanOrEqual(count)
}

it('over a Redis Cluster of three masters nothing is lost, also while slots move from one to another (guarantee 1)', async () => {
  const cluster = await RedisCluster.start()
  onTestFinished(() => cluster.stop())
  const server = {
    store: { kind: 'cluster', urls: cluster.servers.map(({ url }) => url) },
    heartbeatMs: 1000,
  } as const
  const fleet = await Fleet.start({ seed: 1, clients: 40, servers: [server, server] })
  onTestFinished(() => fleet.close())
  const begun = fleet.tally.copy()

  fleet.begin()
  await acknowledges(fleet, BUSY)
  const before = await fleet.settle()
  const quiet = fleet.tally.since(begun)
  const keys = await Promise.all(fleet.database.scopeIds.map((scopeId) => keysOf(cluster, scopeId)))
  fleet.begin()
  for (const [key] of keys) {
    await cluster.moveSlot(key!)
    await acknowledges(fleet, BUSY)
  }
  const after = await fleet.settle()

  const { acknowledged, delivered, resets, coveredByReset } = fleet.tally.since(begun)
  console.log(
    `Redis Cluster: ${acknowledged} invalidations acknowledged, ${delivered} changes delivered, ${resets} scopes of clients reset ` +
      `after ${keys.length} slots moved (${coveredByReset} changes), ${before.lost + after.lost} lost`,
  )
  expect(keys.map((all) => all.length)).toEqual(fleet.database.scopeIds.map(() => 1))
  expect(before).toMatchObject({ lost: 0, notLive: 0 })
  expect(after).toMatchObject({ lost: 0, notLive: 0 })
  expect(quiet.resets).toBe(0)
  expect(fleet.crashes).toEqual([])
})

/** What the cluster keeps of a scope: in one slot if it is one key. */
async function keysOf(cluster: RedisCluster, scopeId: string): Promise<string[]> {
  const hash = createHash('sha256').update(scopeId).digest('hex')
  const found = await Promise.all(cluster.servers.map((server) => server.cli('--scan', '--pattern', `*${hash}*`)))
  return found.join('\n').split('\n').filter(Boolean)
}
