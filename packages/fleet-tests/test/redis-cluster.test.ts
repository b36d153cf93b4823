import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { RedisCluster } from '../../server/test/support/redis-cluster.ts'
import { Fleet } from '../src/fleet.ts'

const BUSY_MS = 800

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
  await sleep(BUSY_MS)
  const before = await fleet.settle()
  const quiet = fleet.tally.since(begun)
  const keys = await Promise.all(fleet.database.scopeIds.map((scopeId) => keysOf(cluster, scopeId)))
  fleet.begin()
  for (const [key] of keys) {
    await cluster.moveSlot(key!)
    await sleep(BUSY_MS / 2)
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
