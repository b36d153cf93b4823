import { toPlainTag, type TagInput } from '@query-tags/core'
import type { Exchange } from './exchange.ts'
import type { Page } from './page.ts'
import { USERS } from './people.ts'
import type { Random } from './random.ts'
import type { Server } from './server.ts'
import type { Visitor } from './visitor.ts'
import type { World } from './world.ts'

const MAX_PAGES = 5

type Event = (world: World) => void

/** What happens in a world, with how often. */
const EVENTS: readonly (readonly [weight: number, name: string, event: Event])[] = [
  [60, 'visitor acts', (world) => world.sim.random.pick(world.visitors).act()],
  [30, 'write', (world) => write(world, 1)],
  [8, 'bulk write', (world) => write(world, 6, filler(world, 12))],
  [0.3, 'import', (world) => flood(world)],
  [5, 'cut', (world) => onStream(world, (stream) => stream.cut(world.sim.random.chance(0.8)))],
  [3, 'blackhole', (world) => onStream(world, (stream) => stream.blackhole())],
  [
    3,
    'slow reader',
    (world) => onStream(world, (stream) => (stream.gapMs = world.sim.random.pick([500, 6000, 15_000]))),
  ],
  [3, 'fast reader', (world) => onStream(world, (stream) => (stream.gapMs = 0))],
  [3, 'frozen page', (world) => freeze(world)],
  [2, 'suspended machine', (world) => world.suspend(world.sim.random.pick(world.pages))],
  [2, 'offline', (world) => offline(world)],
  [2, 'wall clock step', (world) => stepWallClock(world)],
  [2, 'visible page', (world) => onPage(world, (page) => page.fire('visible'))],
  [2, 'page opens', (world) => world.visitors.length < MAX_PAGES && world.openPage()],
  [2, 'page closes', (world) => closePage(world, true)],
  [1, 'page vanishes', (world) => closePage(world, false)],
  [4, 'user changes', (world) => onVisitor(world, (visitor) => changeUser(world, visitor))],
  [2, 'session expires', (world) => onPage(world, (page) => expireSession(world, page))],
  [2, 'stolen connection', (world) => steal(world)],
  [2, 'rebind', (world) => onPage(world, (page) => rebind(world, page))],
  [3, 'page is moved', (world) => onPage(world, (page) => (page.server = world.sim.random.pick(world.servers)))],
  [1, 'server stops', (world) => onServer(world, (server) => restart(world, server, () => server.stop()))],
  [1, 'server dies', (world) => onServer(world, (server) => kill(world, server, true))],
  [1, 'server vanishes', (world) => onServer(world, (server) => kill(world, server, false))],
  [1, 'memory lost', (world) => void restartAll(world)],
  [1, 'store flushed', (world) => void world.store.flush()],
  [2, 'store down', (world) => onServer(world, (server) => failLink(world, server, 'down'))],
  [1, 'store hangs', (world) => onServer(world, (server) => failLink(world, server, 'hung'))],
]

/** What happens in every world; of the rest, each has a part, since all troubles at once leave nothing alive for long enough to be lost. */
const USUAL = new Set(['visitor acts', 'write', 'bulk write', 'cut'])
const SHARE = 0.6

export class Events {
  readonly #events: typeof EVENTS
  readonly #total: number

  constructor(random: Random) {
    this.#events = EVENTS.filter(([, name]) => USUAL.has(name) || random.chance(SHARE))
    this.#total = this.#events.reduce((sum, [weight]) => sum + weight, 0)
  }

  /** Has one thing happen. */
  happen(world: World): void {
    let at = world.sim.random.next() * this.#total
    const [, name, event] = this.#events.find(([weight]) => (at -= weight) < 0)!
    world.sim.saw(name)
    event(world)
  }
}

function onPage(world: World, event: (page: Page) => void): void {
  onVisitor(world, ({ page }) => event(page))
}

/** In the page's own time, so when it is awake. */
function onVisitor({ sim, visitors }: World, event: (visitor: Visitor) => void): void {
  const visitor = sim.random.maybePick(visitors)
  if (visitor) sim.clock.after(visitor.page.process, 0, () => event(visitor))
}

function onStream({ sim, network }: World, event: (stream: Exchange) => void): void {
  const stream = sim.random.maybePick(network.streams)
  if (stream) event(stream)
}

function onServer({ sim, servers }: World, event: (server: Server) => void): void {
  event(sim.random.pick(servers))
}

function write({ sim, database, writer }: World, count: number, more: readonly TagInput[] = []): void {
  const rows = new Set(Array.from({ length: count }, () => database.pickRow(sim.random)))
  const delayMs = sim.random.pick([0, 0, 50, 1000])
  sim.clock.after(sim.world, 0, () => void writer.write([...rows], delayMs, more))
}

/** Tags of nobody's, to make a frame long. */
function filler({ sim }: World, count: number): TagInput[] {
  const from = sim.random.below(5000)
  return Array.from({ length: count }, (_, i) => ['filler', from + i, 'x'.repeat(600)])
}

/** The most that one invalidation may hold, nearly. */
function manyTags({ sim }: World): TagInput[] {
  const from = sim.random.below(5000)
  return Array.from({ length: 400 }, (_, i) => ['imported', from + i, 'x'.repeat(80)])
}

/** More than is worth listing to somebody who missed it. */
function flood(world: World): void {
  for (let i = 0; i < 3; i++) write(world, 1, manyTags(world))
}

function freeze(world: World): void {
  const { sim, pages } = world
  const page = sim.random.maybePick(pages)
  if (!page || page.process.sleep) return
  const { clock, random } = sim
  const isTold = random.chance(0.5)
  const isSeen = random.chance(0.5)
  clock.after(page.process, 0, () => {
    if (isTold) page.fire('frozen')
    // After what the page does about it.
    clock.after(sim.world, 0, () => {
      if (page.process.sleep || world.isCalm) return
      clock.fallAsleep(page.process, 'frozen')
      clock.after(sim.world, random.pick([2000, 15_000, 45_000]), () => {
        if (!page.process.sleep) return
        clock.wake(page.process)
        if (isTold || isSeen) clock.after(page.process, 0, () => page.fire(isTold ? 'restored' : 'visible'))
      })
    })
  })
}

function offline(world: World): void {
  onPage(world, (page) => {
    const { clock, random } = world.sim
    if (!page.isOnline) return
    page.goOffline()
    clock.after(page.process, random.between(500, 20_000), () => page.isOnline || page.goOnline())
  })
}

function stepWallClock({ sim, pages }: World): void {
  const ms = sim.random.pick([-3_600_000, -20_000, 20_000, 3_600_000])
  sim.random.maybePick(pages)?.stepWallClock(ms)
}

function closePage(world: World, inOrder: boolean): void {
  const { sim, visitors, network } = world
  if (visitors.length <= 3) world.openPage()
  const visitor = sim.random.pick(visitors)
  const { page } = visitor
  visitors.splice(visitors.indexOf(visitor), 1)
  if (inOrder && !page.process.sleep) {
    sim.clock.after(page.process, 0, () => {
      visitor.leave()
      page.close()
      sim.clock.after(sim.world, 0, () => sim.clock.kill(page.process))
    })
  } else {
    for (const exchange of network.open) if (exchange.peer === page) exchange.blackhole()
    sim.clock.kill(page.process)
  }
}

/** What an app may do when somebody else signs in. */
function changeUser({ sim }: World, visitor: Visitor): void {
  const { page } = visitor
  const { random } = sim
  visitor.forget()
  page.user = random.pick([...USERS, undefined])
  page.hasExpiredSession = false
  if (page.namesScope) {
    page.unbind()
    page.bind()
    sim.saw('scope prop changes', page.name)
  } else if (random.chance(0.5)) {
    page.reconnect()
    sim.saw('client is created anew', page.name)
  } else {
    sim.saw('cookie changes', page.name)
  }
}

function expireSession({ sim }: World, page: Page): void {
  page.hasExpiredSession = true
  sim.clock.after(page.process, sim.random.between(1000, 20_000), () => (page.hasExpiredSession = false))
}

function rebind({ sim }: World, page: Page): void {
  page.unbind()
  sim.clock.after(page.process, sim.random.pick([0, 0, 3000, 30_000]), () => page.bind())
}

function restart({ sim }: World, server: Server, end: () => Promise<void>): void {
  const downMs = sim.random.pick([0, 300, 10_000])
  sim.clock.after(sim.world, 0, () => {
    void end().then(() => sim.clock.after(sim.world, downMs, () => server.start()))
  })
}

function kill(world: World, server: Server, isTold: boolean): void {
  restart(world, server, async () => {
    await server.kill()
    world.network.lose(server, isTold)
  })
}

async function restartAll(world: World): Promise<void> {
  for (const server of world.servers) kill(world, server, world.sim.random.chance(0.8))
  await world.store.flush()
}

function failLink({ sim }: World, server: Server, state: 'down' | 'hung'): void {
  server.link.state = state
  sim.clock.after(sim.world, sim.random.pick([1000, 6000, 20_000]), () => (server.link.state = 'up'))
}

/** Somebody has learned the name of another's connection, and asks what is new on it. */
function steal({ sim, pages, database, network }: World): void {
  const thief = sim.random.pick(pages)
  const stream = network.streams.find(({ peer, hello }) => hello && peer.user !== thief.user)
  if (!stream?.hello) return
  const add = database.ids.map((id) => toPlainTag(database.row(id).tag))
  const message = { ...stream.hello, watcher: 'thief', n: 1, add, remove: [] }
  const request = {
    method: 'POST',
    headers: { authorization: thief.user ?? 'nobody', 'content-type': 'application/json' },
    body: JSON.stringify(message),
  }
  sim.clock.after(thief.process, 0, () => {
    network
      .fetch({ name: 'thief', process: thief.process, user: thief.user, isNewer: false, server: stream.server })(
        'http://app.test/api/invalidator/watch',
        request,
      )
      .catch((error: unknown) => sim.log(`the thief gets ${String(error)}`))
  })
}
