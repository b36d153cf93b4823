import { Api } from './api.ts'
import { CALM, randomConditions, type Conditions } from './conditions.ts'
import { Database } from './database.ts'
import { Network } from './network.ts'
import { createPersister } from './item-store.ts'
import { Page } from './page.ts'
import { PlainReader } from './plain-reader.ts'
import { USERS, type User } from './people.ts'
import { Store } from './registry.ts'
import { Server } from './server.ts'
import type { Sim } from './sim.ts'
import { namesIn, restore, type Snapshot } from './snapshots.ts'
import { Visitor } from './visitor.ts'
import { Writer } from './writer.ts'

const MAX_PAGES = 5

/** Servers over one store, a database, and the pages that look at it. */
export class World {
  readonly sim: Sim
  readonly database: Database = new Database()
  readonly store: Store
  readonly servers: readonly Server[]
  readonly network: Network
  readonly writer: Writer
  readonly visitors: Visitor[] = []
  /** Whose pages vanished, without having closed anything. */
  readonly vanished: Visitor[] = []
  /** Caches that were stored, with whose they are. */
  readonly stored: { readonly user: User | undefined; readonly snapshot: Snapshot }[] = []
  /** What browsers have stored query by query. */
  readonly #items = new Map<string, string>()
  readonly reader: PlainReader
  readonly heartbeatMs: number
  readonly maxBacklogBytes: number
  /** By then a stream has ended, whoever is at its other end. */
  readonly maxStreamMs: number
  readonly #trouble: Conditions
  readonly #linkTrouble: { readonly loss: number; readonly delayMs: number }
  #pages = 0

  constructor(sim: Sim) {
    const { random } = sim
    this.sim = sim
    this.store = new Store(sim, {
      maxTagsPerScope: random.pick([4, 30, 100_000, 100_000]),
      maxBytes: random.pick([3000, 2 ** 28, 2 ** 28, 2 ** 28]),
    })
    this.heartbeatMs = random.pick([2000, 4000, 8000])
    this.maxBacklogBytes = random.pick([60, 400, 65_536])
    // In the memory of the servers' own process, or a network away.
    const delayMs = random.pick([0, 5, 200])
    this.#linkTrouble = { delayMs, loss: delayMs > 0 && random.chance(0.6) ? random.between(0.05, 0.4) : 0 }
    const maxStreamMs = random.pick([20_000, 60_000, 900_000])
    this.maxStreamMs = maxStreamMs * 1.2 + this.heartbeatMs
    const options = {
      heartbeatMs: this.heartbeatMs,
      maxStreamMs,
      maxBacklogBytes: this.maxBacklogBytes,
      writeStallMs: random.pick([3000, 30_000]),
      // Half-open streams keep their places until then.
      maxConnections: maxStreamMs < 100_000 ? random.pick([12, 10_000]) : 10_000,
      authorizeMs: random.pick([0, 50]),
    }
    this.servers = Array.from({ length: random.pick([2, 2, 3]) }, (_, i) => {
      const link = { state: 'up' as const, ...this.#linkTrouble }
      return new Server(sim, `server${i}`, this.store, link, options)
    })
    for (const server of this.servers) {
      server.isNewer = random.chance(0.2)
      server.start()
    }
    this.network = new Network(sim, this.servers)
    this.writer = new Writer(sim, this.database, this.servers)
    this.#trouble = randomConditions(random)
    this.reader = new PlainReader(
      sim,
      this.network,
      this.database,
      'reader',
      this.servers[0]!,
      random.pick([...USERS, undefined]),
    )
    for (let i = random.pick([3, 3, 4]); i > 0; i--) this.openPage()
  }

  get pages(): readonly Page[] {
    return this.visitors.map(({ page }) => page)
  }

  pickUser(): User | undefined {
    return this.sim.random.pick([...USERS, undefined])
  }

  get hasRoom(): boolean {
    return this.visitors.length < MAX_PAGES
  }

  /** Somebody opens the app. Its first components, and the cache that it comes with, may be there before it is bound, or only then. */
  openPage(user: User | undefined = this.pickUser(), snapshot?: Snapshot): void {
    const { sim } = this
    const page = new Page(sim, this.network, `page${this.#pages++}`, sim.random.pick(this.servers), user)
    if (sim.random.chance(0.3)) page.persister = createPersister(sim, page, this.#items)
    const visitor = new Visitor(sim, this.database, this.writer, new Api(sim, this.network, page), page)
    this.visitors.push(visitor)
    const bindMs = sim.random.pick([0, 0, 100, 5000])
    const restoreMs = sim.random.pick([0, 0, 200])
    if (snapshot !== undefined) {
      sim.clock.after(page.process, restoreMs, () => {
        if (page.user === user) restore(sim, page, snapshot)
      })
      visitor.recall(namesIn(snapshot))
    }
    for (let i = 0; i < 3; i++) visitor.act()
    if (sim.random.chance(0.15))
      sim.clock.after(sim.world, bindMs + sim.random.between(0, 100), () => this.suspend(page))
    sim.clock.after(page.process, bindMs, () => page.isClosed || page.bind())
  }

  /** The lid is closed: nothing of the page goes on, its time neither. */
  suspend(page: Page): void {
    const { clock, random, world } = this.sim
    if (page.process.sleep || page.isSetBack || this.isCalm) return
    clock.fallAsleep(page.process, 'suspended')
    clock.after(world, random.pick([2000, 15_000, 45_000]), () => {
      if (!page.process.sleep) return
      clock.wake(page.process)
      if (random.chance(0.5)) clock.after(page.process, 0, () => page.fire('visible'))
    })
  }

  get isCalm(): boolean {
    return this.network.conditions === CALM
  }

  /** Lets things go wrong. */
  trouble(): void {
    this.network.conditions = this.#trouble
    for (const { link } of this.servers) Object.assign(link, this.#linkTrouble)
  }

  /** From now on everything works. What is broken stays as it is and has to be noticed, and who sleeps wakes when they would have. */
  calm(): void {
    const { sim } = this
    this.network.conditions = CALM
    for (const exchange of this.network.open) exchange.gapMs = 0
    for (const server of this.servers) {
      Object.assign(server.link, { state: 'up', loss: 0, delayMs: 0 })
      server.start()
    }
    for (const page of this.pages) {
      sim.clock.after(page.process, 0, () => {
        page.hasExpiredSession = false
        if (!page.isOnline) page.goOnline()
        if (page.isFrozen) page.fire('restored')
        page.bind()
      })
    }
  }
}
