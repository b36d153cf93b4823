import { checkBounds, checkIndexes, countGhosts, findLosses } from './check.ts'
import { Events } from './events.ts'
import { Random } from './random.ts'
import { Sim } from './sim.ts'
import { inWorld } from './tanstack.ts'
import { Tally, type Trace } from './trace.ts'
import { World } from './world.ts'

/** Many short ones: what is lost must not be written again before somebody looks. */
const ROUNDS = 6
const EVENTS_PER_ROUND = 35
/** After the last trouble everything has to be well by then, and to stay so. */
const MAX_CALM_MS = 300_000
/** How often it is looked whether it is. */
const LOOK_MS = 5000
const FINAL_CALM_MS = 35_000
/** How long a server may take to hear of a client that left, when all is well. */
const GOODBYE_MS = 300
/** Guarantee 13. */
const CLOSED_MS = 2000

export interface Run {
  readonly seed: number
  /** Broken promises. */
  readonly faults: readonly string[]
  readonly tally: Tally
  /** Tasks of virtual time. */
  readonly tasks: number
}

/** One seed: a world, its troubles, and what is left of it. The same, whether or not it is traced. */
export async function run(seed: number, trace?: Trace): Promise<Run> {
  const sim = new Sim(new Random(seed), new Tally(), trace)
  const { stackTraceLimit } = Error
  // Thousands of errors are made, and nearly all are meant. Whoever wants to know where one comes from runs the seed again.
  if (!trace) Error.stackTraceLimit = 0
  const onRejection = (error: unknown): void =>
    sim.fail(`nobody caught ${error instanceof Error ? error.stack : String(error)}`)
  process.on('unhandledRejection', onRejection)
  try {
    const tasks = await inWorld(sim, () => live(sim))
    return { seed, faults: sim.faults, tally: sim.tally, tasks }
  } catch (error) {
    // Thrown by a timer, where nobody else would have caught it.
    sim.fail(`thrown: ${error instanceof Error ? error.stack : String(error)}`)
    return { seed, faults: sim.faults, tally: sim.tally, tasks: 0 }
  } finally {
    process.off('unhandledRejection', onRejection)
    Error.stackTraceLimit = stackTraceLimit
  }
}

async function live(sim: Sim): Promise<number> {
  const { clock, random } = sim
  const world = new World(sim)
  const events = new Events(random)
  let tasks = 0
  for (let round = 0; round < ROUNDS && sim.faults.length === 0; round++) {
    world.trouble()
    for (let i = 0; i < EVENTS_PER_ROUND; i++) {
      events.happen(world)
      tasks += await clock.run(random.chance(0.1) ? random.between(0, 5000) : random.between(0, 500))
      checkBounds(world)
    }
    world.calm()
    tasks += await settle(world)
    checkIndexes(world)
  }
  tasks += await clock.run(FINAL_CALM_MS)
  tasks += await settle(world)
  await checkGhosts(world)
  return tasks + (await close(world))
}

async function checkGhosts(world: World): Promise<void> {
  if (world.maxStreamMs > FINAL_CALM_MS || countGhosts(world) <= 0) return
  // Somebody may just have left, without the server having heard.
  await world.sim.clock.run(GOODBYE_MS)
  const ghosts = countGhosts(world)
  if (ghosts > 0) world.sim.fail(`${ghosts} connections of nobody are left`)
}

/** Waits until nothing is lost any more. */
async function settle(world: World): Promise<number> {
  const { sim } = world
  let tasks = 0
  let losses: string[] = []
  for (let ms = 0; ms < MAX_CALM_MS; ms += LOOK_MS) {
    tasks += await sim.clock.run(LOOK_MS)
    for (const server of world.servers) server.start()
    losses = world.writer.unannounced > 0 ? ['a change that nobody took'] : findLosses(world)
    losses.push(
      ...world.pages
        .filter(({ client }) => client.status.state !== 'live')
        .map(({ name, client }) => `${name} is ${JSON.stringify(client.status)}`),
    )
    if (losses.length === 0) return tasks
  }
  for (const loss of losses) sim.fail(loss)
  return tasks
}

async function close(world: World): Promise<number> {
  const { sim, visitors, servers, network, store } = world
  let tasks = 0
  for (const visitor of visitors) {
    sim.clock.wake(visitor.page.process)
    sim.clock.after(visitor.page.process, 0, () => {
      visitor.leave()
      visitor.page.close()
    })
  }
  world.reader.close()
  tasks += await sim.clock.run(CLOSED_MS)
  const waiting = network.open.filter(
    (exchange) => exchange.isWaitedFor && visitors.some(({ page }) => page === exchange.peer),
  )
  if (waiting.length > 0)
    sim.fail(
      `${waiting.length} requests of closed pages are still open: ${waiting.map(({ peer }) => peer.name).join()}`,
    )
  for (const server of servers) sim.clock.after(sim.world, 0, () => void server.stop())
  tasks += await sim.clock.run(FINAL_CALM_MS)
  for (const { page } of visitors)
    if (page.process.pending > 0) sim.fail(`${page.name} left ${page.process.pending} timers`)
  for (const server of servers) {
    if (server.isUp) sim.fail(`${server.name} does not end`)
    if (server.leftTimers > 0) sim.fail(`${server.name} left ${server.leftTimers} timers`)
    if (server.subscriptions > 0) sim.fail(`${server.name} left ${server.subscriptions} subscriptions`)
  }
  if (store.subscriptions > 0) sim.fail(`${store.subscriptions} subscriptions are left`)
  return tasks + (await forget(world))
}

/** Frees what TanStack Query, which all worlds share, keeps of pages that never closed. */
async function forget({ sim, vanished }: World): Promise<number> {
  sim.clock.after(sim.world, 0, () => {
    for (const visitor of vanished) {
      visitor.leave()
      visitor.page.close()
    }
  })
  return sim.clock.run(0)
}
