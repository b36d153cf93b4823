import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { RedisServer } from '../../server/test/support/redis-server.ts'
import { Fleet, type FleetOptions } from '../src/fleet.ts'
import { until } from '../src/wait.ts'
import { startFleetNginx } from './support/fleet-nginx.ts'
import { Metronome } from './support/metronome.ts'

const DRAIN_MS = 8000
/** The busiest second, in average seconds, on a machine that is evenly fast. */
const MAX_SPREAD = 1.5

async function startFleet(
  options: Omit<FleetOptions, 'seed' | 'servers'>,
): Promise<{ readonly fleet: Fleet; readonly url: string }> {
  const redis = await RedisServer.start()
  onTestFinished(() => redis.stop())
  const server = { store: { kind: 'redis', url: redis.url }, heartbeatMs: 8000 } as const
  let url = ''
  const fleet = await Fleet.start({
    seed: 1,
    servers: [server, server, server],
    proxyUrl: async (ports) => {
      const nginx = await startFleetNginx(ports)
      onTestFinished(() => nginx.close())
      url = nginx.url
      return url
    },
    ...options,
  })
  onTestFinished(() => fleet.close())
  return { fleet, url }
}

it('reopens at most two streams of a client that navigates, however often, without stickiness', async () => {
  const [clients, navigations] = [100, 12]
  const { fleet } = await startFleet({ clients })
  const before = fleet.tally.hellos

  for (let i = 0; i < navigations; i++) {
    for (const client of fleet.clients) {
      client.hide(client.items[0]!)
      client.show(fleet.random.below(fleet.database.items))
    }
    await sleep(500)
  }
  const { lost } = await fleet.settle()

  const reopened = fleet.tally.hellos - before
  const reports = await Promise.all(fleet.servers.map((server) => server.report()))
  const refused = reports.reduce((count, { watches }) => count + (watches['409'] ?? 0), 0)
  console.log(
    `${clients} clients, ${navigations} navigations each: ${reopened} streams reopened, ` +
      `${(reopened / (clients * navigations)).toFixed(3)} per navigation; ${refused} watch requests answered with 409`,
  )
  expect(lost).toBe(0)
  expect(reopened).toBeGreaterThan(0)
  expect(reopened).toBeLessThanOrEqual(2 * clients)
})

it('restarts all processes one by one with 1,000 clients, evenly, and nothing is lost', async () => {
  const { fleet, url } = await startFleet({ clients: 1000, itemsPerClient: 5, pauseMs: 400 })

  let spread = Infinity
  for (let attempt = 1; attempt <= 3 && spread > MAX_SPREAD; attempt++) {
    const before = fleet.tally.copy()
    fleet.begin({ navigates: false })
    // A machine that does other things at the same time makes peaks of its own.
    const metronome = new Metronome(`${url}/metrics`, 25)
    const acceptedAt = await restartAll(fleet)
    const machine = rates(await metronome.stop())
    const { lost } = await fleet.settle()
    const { resets, acknowledged } = fleet.tally.since(before)
    const { average, peak, seconds } = rates(acceptedAt)
    const unevenness = machine.peak / machine.average
    spread = peak / average / unevenness
    console.log(
      `1,000 clients, three processes, ${DRAIN_MS / 1000} s each: ${acceptedAt.length} accepts in ${seconds.toFixed(1)} s, ` +
        `${average.toFixed(1)} a second, at most ${peak} (${(peak / average).toFixed(2)} times as many; ` +
        `an even beat through the same nginx: ${unevenness.toFixed(2)} times); ` +
        `${acknowledged} invalidations acknowledged, ${resets} resets, ${lost} lost`,
    )
    expect({ lost, resets }).toEqual({ lost: 0, resets: 0 })
  }

  expect(spread).toBeLessThanOrEqual(MAX_SPREAD)
}, 300_000)

/** A deployment: ends the processes in turn, and starts a new one in the place of each. Resolves with when streams were accepted. */
async function restartAll(fleet: Fleet): Promise<number[]> {
  const startedAt = Date.now()
  const acceptedAt: number[] = []
  for (const [index, server] of fleet.servers.entries()) {
    acceptedAt.push(...(await server.retire(DRAIN_MS)).acceptedAt)
    await fleet.restart(index)
  }
  await until('all are live', () => fleet.clients.every(({ isLive }) => isLive), 60_000)
  for (const server of fleet.servers) acceptedAt.push(...(await server.report()).acceptedAt)
  return acceptedAt.filter((at) => at >= startedAt)
}

/** Accepts per second, from the first to the last. */
function rates(times: readonly number[]): { average: number; peak: number; seconds: number } {
  const sorted = [...times].sort((a, b) => a - b)
  const seconds = (sorted.at(-1)! - sorted[0]!) / 1000
  const counts = new Map<number, number>()
  for (const time of sorted) {
    const second = Math.floor((time - sorted[0]!) / 1000)
    counts.set(second, (counts.get(second) ?? 0) + 1)
  }
  return { average: times.length / seconds, peak: Math.max(...counts.values()), seconds }
}
