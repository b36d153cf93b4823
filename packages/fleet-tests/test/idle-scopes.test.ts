import KeyvRedis from '@keyv/redis'
import { createTagInvalidationSystem } from '@query-tags/server'
import { Keyv } from 'keyv'
import { expect, it, onTestFinished } from 'vitest'
import { RedisServer } from '../../server/test/support/redis-server.ts'
import { Gate } from '../src/gate.ts'

const SCOPES = 100_000
/** A heartbeat's work is spread over this many turns of its wheel at most. */
const TURNS = 64

it('verifies 100,000 idle scopes with a few hundred commands to Redis', { timeout: 120_000 }, async () => {
  const redis = await RedisServer.start()
  onTestFinished(() => redis.stop())
  const gate = await Gate.open(redis.port, { isBeforeRedis: true })
  onTestFinished(() => gate.close())
  const system = createTagInvalidationSystem({
    store: new Keyv({ store: new KeyvRedis(`redis://127.0.0.1:${gate.port}`) }),
  })
  onTestFinished(() => system.close())
  const turns = Array.from({ length: TURNS }, (_, turn) =>
    Array.from({ length: Math.ceil(SCOPES / TURNS) }, (_scope, i) => ({ kind: 'user', id: `${turn}-${i}` })),
  )
  /** As the hub does: where is each of these scopes now? */
  const verifyAll = async (): Promise<number> => {
    let known = 0
    for (const scopes of turns) known += Object.keys(await system.cursor(scopes)).length - 1
    return known
  }
  await verifyAll()

  gate.commands.clear()
  const [cpuBefore, startedAt] = [await cpuSeconds(redis), performance.now()]
  const known = await verifyAll()
  const [cpu, seconds] = [(await cpuSeconds(redis)) - cpuBefore, (performance.now() - startedAt) / 1000]

  const commands = gate.commands.get('head') ?? 0
  const bytes = Number(/used_memory:(\d+)/.exec(await redis.cli('info', 'memory'))![1]) / known
  console.log(
    `${known} idle scopes: ${commands} commands to Redis, ${cpu.toFixed(2)} s of its processor, ${seconds.toFixed(2)} s in all ` +
      `(${Math.round(known / seconds)} scopes a second); ${Math.round(bytes)} bytes of Redis's memory each`,
  )
  expect(known).toBe(TURNS * Math.ceil(SCOPES / TURNS))
  expect([...gate.commands.keys()]).toEqual(['head'])
  expect(commands).toBeLessThanOrEqual(1000)
})

async function cpuSeconds(redis: RedisServer): Promise<number> {
  const info = await redis.cli('info', 'cpu')
  return ['user', 'sys'].reduce((sum, kind) => sum + Number(new RegExp(`used_cpu_${kind}:([\\d.]+)`).exec(info)![1]), 0)
}
