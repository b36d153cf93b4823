import { describe, expect, it, onTestFinished } from 'vitest'
import type { Fleet } from '../src/fleet.ts'
import { Trial, type TrialOptions } from '../src/trial.ts'
import { comesTrue, until } from '../src/wait.ts'

const ITEMS = 10
const GLOBAL = 0
const HEARTBEAT_MS = 1000

/** Two processes, and clients that show every item. */
async function startTrial(options: Partial<TrialOptions> = {}): Promise<Trial> {
  const complete = {
    seed: 1,
    clients: 8,
    servers: 2,
    items: ITEMS,
    itemsPerClient: ITEMS,
    heartbeatMs: 1000,
    ...options,
  }
  const trial = await Trial.start(complete)
  onTestFinished(() => trial.close())
  return trial
}

/** Writes through the first process what the second one does not hear of. */
async function loseOneMessage({ fleet, redis }: Trial): Promise<void> {
  const gate = redis.gates[1]!
  gate.messagesToLose = 1
  expect(await fleet.write({ scope: GLOBAL, item: 1 }, 0)).toBe(true)
  await until('the message is lost', () => gate.messagesToLose === 0)
}

/** Resolves when all are live, and nobody was reset for two heartbeats. */
async function quiet(fleet: Fleet): Promise<void> {
  let [resets, since] = [-1, 0]
  await until('all are live, and nobody is reset', () => {
    const isQuiet = fleet.tally.resets === resets && fleet.clients.every(({ isLive }) => isLive)
    if (!isQuiet) [resets, since] = [fleet.tally.resets, performance.now()]
    return performance.now() - since > 2 * HEARTBEAT_MS
  })
}

/** They are gone when this resolves. */
async function sendAway({ fleet }: Trial): Promise<void> {
  for (const gate of fleet.gates) gate.moveTo(1)
  await until('nobody is live', () => fleet.clients.every(({ isLive }) => !isLive))
}

async function letBack({ fleet }: Trial): Promise<void> {
  fleet.gates.forEach((gate, i) => {
    gate.target = fleet.servers[i]!.port
  })
  await until('all are live', () => fleet.clients.every(({ isLive }) => isLive), 45_000)
}

describe('a message that is lost between Redis and a process', () => {
  it('is made up for when the next one comes (guarantee 6)', async () => {
    // No heartbeat comes to the rescue.
    const trial = await startTrial({ heartbeatMs: 25_000 })
    const { fleet } = trial
    await loseOneMessage(trial)
    const missed = fleet.missed

    await fleet.write({ scope: GLOBAL, item: 2 }, 0)
    await until('nothing is missing', () => fleet.missed === 0)

    expect(missed).toBeGreaterThan(0)
    expect(trial.tally.resets).toBe(0)
    expect(await fleet.servers[1]!.metric('query_tags_gaps_repaired_total')).toBeGreaterThan(0)
  })

  it('is made up for with the next heartbeat when no other comes (guarantee 9)', async () => {
    const trial = await startTrial()
    const { fleet } = trial
    await loseOneMessage(trial)

    await until('nothing is missing', () => fleet.missed === 0)

    expect(trial.tally).toMatchObject({ delivered: fleet.clients.length, resets: 0 })
    expect(await fleet.servers[1]!.metric('query_tags_gaps_repaired_total')).toBeGreaterThan(0)
  })

  it('is found missing by this checker without the guard that finds it', async () => {
    const trial = await startTrial({ withoutGuard: 'verify-repairs', heartbeatMs: 250 })
    await loseOneMessage(trial)

    expect(await comesTrue(() => trial.fleet.missed === 0, 2000)).toBe(false)
  })
})

/** The second process is left behind, writes what clients of the first one do not hear of, and is led to the new master. */
async function splitBrain({ fleet, redis }: Trial): Promise<void> {
  // Everybody is with the first process.
  fleet.gates[1]!.moveTo(1)
  await until(
    'all are live elsewhere',
    async () => (await fleet.servers[0]!.report()).connections === fleet.clients.length,
  )
  const { resets } = fleet.tally
  await redis.promote()
  redis.gates[0]!.moveTo(redis.master.port)
  // The resets that come with the change of masters must not cover what is written after it.
  await until('clients of the first process were reset', () => fleet.tally.resets > resets)
  await quiet(fleet)
  expect(await fleet.write({ scope: GLOBAL, item: 1 }, 1)).toBe(true)
  expect(fleet.missed).toBeGreaterThan(0)
  redis.gates[1]!.moveTo(redis.master.port)
  await redis.follow()
}

describe('a process that still writes to the old master after a promotion', () => {
  it('records it again on the new one (guarantee 1)', async () => {
    const trial = await startTrial({ clients: 4 })
    await splitBrain(trial)

    expect(await comesTrue(() => trial.fleet.missed === 0, 20_000)).toBe(true)
  })

  it('is found by this checker to lose it without the guard that does so', async () => {
    const trial = await startTrial({ clients: 4, withoutGuard: 'record-again' })
    await splitBrain(trial)

    expect(await comesTrue(() => trial.fleet.missed === 0, 4000)).toBe(false)
  })
})

describe('clients that were away', () => {
  it('get what they missed, and no reset, when nothing was lost', async () => {
    const trial = await startTrial()
    await sendAway(trial)
    await trial.fleet.write({ scope: GLOBAL, item: 1 }, 0)
    await letBack(trial)

    expect(trial.fleet.missed).toBe(0)
    expect(trial.tally).toMatchObject({ delivered: trial.fleet.clients.length, resets: 0 })
  })

  it('are reset after a flush that was followed by new writes (guarantee 3)', async () => {
    const trial = await startTrial()
    const { fleet, redis } = trial
    await sendAway(trial)
    await fleet.write({ scope: GLOBAL, item: 1 }, 0)
    await redis.master.cli('flushall')
    await fleet.write({ scope: GLOBAL, item: 2 }, 1)
    await letBack(trial)

    expect(fleet.missed).toBe(0)
    expect(trial.tally.resets).toBeGreaterThanOrEqual(fleet.clients.length)
  })

  it('are reset after a replica without the tail was promoted, and written to (guarantee 3)', async () => {
    const trial = await startTrial()
    const { fleet, redis } = trial
    await sendAway(trial)
    redis.loseTail()
    await fleet.write({ scope: GLOBAL, item: 1 }, 0)
    await redis.master.kill()
    await redis.promote()
    for (const gate of redis.gates) gate.moveTo(redis.master.port)
    await until('the new master takes writes', () => fleet.write({ scope: GLOBAL, item: 2 }, 1))
    await letBack(trial)

    expect(fleet.missed).toBe(0)
    expect(trial.tally.resets).toBeGreaterThanOrEqual(fleet.clients.length)
  })
})
