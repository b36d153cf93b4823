import type { Exchange } from './exchange.ts'
import { changeUser, closePage, expireSession, freeze, goOffline, rebind, stepWallClock } from './page-events.ts'
import type { Page } from './page.ts'
import { flood, write, writeMany } from './write-events.ts'
import type { Random } from './random.ts'
import { failLink, failOver, kill, restartAll, stop } from './server-events.ts'
import type { Server } from './server.ts'
import { hydratePage, renderPage, restoreLate, restorePage, storeCache } from './snapshot-events.ts'
import { steal } from './thief.ts'
import type { Visitor } from './visitor.ts'
import type { World } from './world.ts'

type Event = (world: World) => void

/** What happens, with how often. */
const EVENTS: readonly (readonly [weight: number, name: string, event: Event])[] = [
  [60, 'visitor acts', ({ sim, visitors }) => sim.random.pick(visitors).act()],
  [30, 'write', write],
  [8, 'bulk write', writeMany],
  [0.3, 'import', flood],
  [5, 'cut', onStream((stream, { sim }) => stream.cut(sim.random.chance(0.8)))],
  [3, 'blackhole', onStream((stream) => stream.blackhole())],
  [5, 'slow reader', onStream((stream, { sim }) => (stream.gapMs = sim.random.pick([500, 6000, 15_000])))],
  [3, 'fast reader', onStream((stream) => (stream.gapMs = 0))],
  [3, 'frozen page', freeze],
  [2, 'suspended machine', (world) => world.suspend(world.sim.random.pick(world.pages))],
  [2, 'offline', onPage(goOffline)],
  [2, 'wall clock step', onPage(stepWallClock)],
  [2, 'visible page', onPage((page) => page.fire('visible'))],
  [2, 'page opens', (world) => world.hasRoom && world.openPage()],
  [3, 'page is rendered', renderPage],
  [3, 'cache is stored', onPage(storeCache)],
  [2, 'cache is restored', restorePage],
  [2, 'page is hydrated', hydratePage],
  [1, 'cache is restored late', onPage(restoreLate)],
  [2, 'page closes', (world) => closePage(world, true)],
  [1, 'page vanishes', (world) => closePage(world, false)],
  [4, 'user changes', onVisitor(changeUser)],
  [2, 'session expires', onPage(expireSession)],
  [2, 'stolen connection', steal],
  [2, 'rebind', onPage(rebind)],
  [3, 'page is moved', onPage((page, { sim, servers }) => (page.server = sim.random.pick(servers)))],
  [1, 'server stops', onServer(stop)],
  [1, 'server dies', onServer((server, world) => kill(server, world, true))],
  [1, 'server vanishes', onServer((server, world) => kill(server, world, false))],
  [1, 'memory lost', restartAll],
  [1, 'store flushed', ({ store }) => void store.flush()],
  [1, 'store fails over', failOver],
  [2, 'store down', onServer((server, world) => failLink(server, world, 'down'))],
  [1, 'store hangs', onServer((server, world) => failLink(server, world, 'hung'))],
]

/** What happens in every world. Of the rest each has a part: all troubles at once leave nothing alive for long enough to be lost. */
const USUAL = new Set(['visitor acts', 'write', 'bulk write', 'cut'])
const SHARE = 0.6

/** What happens in one world. */
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

function onPage(event: (page: Page, world: World) => void): Event {
  return onVisitor(({ page }, world) => event(page, world))
}

/** In the page's own time, so when it is awake. */
function onVisitor(event: (visitor: Visitor, world: World) => void): Event {
  return (world) => {
    const visitor = world.sim.random.pick(world.visitors)
    world.sim.clock.after(visitor.page.process, 0, () => event(visitor, world))
  }
}

function onStream(event: (stream: Exchange, world: World) => void): Event {
  return (world) => {
    const stream = world.sim.random.maybePick(world.network.streams)
    if (stream) event(stream, world)
  }
}

function onServer(event: (server: Server, world: World) => void): Event {
  return (world) => event(world.sim.random.pick(world.servers), world)
}
