import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '@query-tags/simulator/random'
import type { Fleet } from './fleet.ts'
import type { RedisPair } from './redis-pair.ts'

interface FaultContext {
  readonly fleet: Fleet
  readonly redis: RedisPair
  readonly random: Random
}

/** Breaks something, and heals it. Resolves with what it did, in words. */
export type Fault = (context: FaultContext) => Promise<string>

/** By name, in the order in which a run goes through them first. */
export const faults: Readonly<Record<string, Fault>> = {
  'server killed': async ({ fleet, random }) => {
    const index = random.below(fleet.servers.length)
    await fleet.servers[index]!.kill()
    const ms = await pause(random, 100, 2000)
    await fleet.restart(index)
    return `server ${index} was gone for ${ms} ms`
  },

  'message lost': async ({ redis, random }) => {
    const gate = random.pick(redis.gates)
    const count = 1 + random.below(5)
    gate.messagesToLose = count
    await pause(random, 500, 1500)
    gate.messagesToLose = 0
    return `up to ${count} messages to server ${redis.gates.indexOf(gate)}`
  },

  'all messages lost': async ({ redis, random }) => {
    const gate = random.pick(redis.gates)
    gate.messagesToLose = Infinity
    const ms = await pause(random, 500, 3000)
    gate.messagesToLose = 0
    return `those to server ${redis.gates.indexOf(gate)} for ${ms} ms`
  },

  'redis restarted': async ({ redis, random }) => {
    await redis.master.kill()
    const ms = await pause(random, 100, 3000)
    await redis.master.start()
    return `down for ${ms} ms, with what was on its disk`
  },

  'redis restarted empty': async ({ redis, random }) => {
    await redis.master.kill()
    const ms = await pause(random, 100, 3000)
    await redis.replaceMaster()
    return `down for ${ms} ms, without what was on its disk`
  },

  'redis paused': async ({ redis, random }) => {
    redis.master.pause()
    const ms = await pause(random, 500, 6000)
    redis.master.continue()
    return `for ${ms} ms`
  },

  flushed: async ({ redis }) => {
    await redis.master.cli('flushall')
    return 'everything'
  },

  'replica promoted': async ({ redis, random }) => {
    await redis.master.kill()
    await redis.promote()
    const ms = await pause(random, 100, 2000)
    for (const gate of redis.gates) gate.moveTo(redis.master.port)
    await redis.replica.start()
    await redis.follow()
    return `after ${ms} ms; the old master came back as its replica`
  },

  'replica without the tail promoted': async ({ redis, random }) => {
    redis.loseTail()
    const behindMs = await pause(random, 200, 1500)
    await redis.master.kill()
    await redis.promote()
    for (const gate of redis.gates) gate.moveTo(redis.master.port)
    await redis.replica.start()
    await redis.follow()
    return `it lacked the last ${behindMs} ms`
  },

  'split brain': async ({ redis, random }) => {
    await redis.promote()
    const [late, ...others] = shuffled(redis.gates, random)
    for (const gate of others) gate.moveTo(redis.master.port)
    const ms = await pause(random, 500, 4000)
    late!.moveTo(redis.master.port)
    await redis.follow()
    return `server ${redis.gates.indexOf(late!)} wrote to the old master for ${ms} ms more`
  },

  'redis connections cut': async ({ redis, random }) => {
    const gate = random.pick(redis.gates)
    gate.cut()
    await pause(random, 0, 1000)
    return `of server ${redis.gates.indexOf(gate)}`
  },

  'redis connections dark': async ({ redis, random }) => {
    const gate = random.pick(redis.gates)
    gate.darken()
    const ms = await pause(random, 1000, 5000)
    gate.cut()
    return `of server ${redis.gates.indexOf(gate)}, for ${ms} ms`
  },

  'client connections cut': async ({ fleet, random }) => {
    const gate = random.pick(fleet.gates)
    const count = gate.connections
    gate.cut()
    return `${count} of server ${fleet.gates.indexOf(gate)}`
  },

  'client connections dark': async ({ fleet, random }) => {
    const gate = random.pick(fleet.gates)
    const count = gate.connections
    gate.darken()
    const ms = await pause(random, 1000, 4000)
    // Also those that wait in a pool for the next request: nobody would notice them before it is sent.
    gate.cutDark()
    return `${count} of server ${fleet.gates.indexOf(gate)}, for ${ms} ms`
  },

  'server paused': async ({ fleet, random }) => {
    const server = random.pick(fleet.servers)
    server.pause()
    const ms = await pause(random, 500, 5000)
    server.resume()
    return `server ${fleet.servers.indexOf(server)} for ${ms} ms`
  },

  'flushed, and server killed': async ({ fleet, redis, random }) => {
    const index = random.below(fleet.servers.length)
    await Promise.all([redis.master.cli('flushall'), fleet.servers[index]!.kill()])
    await pause(random, 100, 1000)
    await fleet.restart(index)
    return `server ${index}`
  },
}

/** Returns how long it was. */
async function pause(random: Random, minMs: number, maxMs: number): Promise<number> {
  const ms = Math.round(random.between(minMs, maxMs))
  await sleep(ms)
  return ms
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items]
  return items.map(() => left.splice(random.below(left.length), 1)[0]!)
}
