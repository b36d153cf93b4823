import { Random } from '@query-tags/simulator/random'
import { Database, type Row } from './database.ts'
import { FleetClient } from './fleet-client.ts'
import { Gate } from './gate.ts'
import { ServerChild, type ServerOptions } from './server-child.ts'
import { itemTag } from './tags.ts'
import { Tally } from './tally.ts'
import { comesTrue, until } from './wait.ts'
import { write, Writers } from './writers.ts'

export interface FleetOptions {
  readonly seed: number
  /** One server process each. */
  readonly servers: readonly ServerOptions[]
  readonly clients: number
  readonly items?: number
  readonly rooms?: number
  /** Items that each client shows. */
  readonly itemsPerClient?: number
  /** How many of a client's watch requests find the process that has its stream, 0 to 1. */
  readonly stickiness?: number
  /** Milliseconds that each of four writers waits after a write. */
  readonly pauseMs?: number
  /** In place of the gates before the servers: a proxy in front of all of them. */
  readonly proxyUrl?: (ports: readonly number[]) => Promise<string>
}

/** What was found once everything was healed and quiet. */
export interface Verdict {
  /** Acknowledged invalidations that clients have not seen, client by client. */
  readonly lost: number
  /** Clients that are not live. */
  readonly notLive: number
  /** How long it took until nothing was missing. */
  readonly settledMs: number
  /** Clients that were not settled after some seconds, and what they said of themselves. */
  readonly stragglers: readonly string[]
}

/** A client changes what it shows about this often. */
const NAVIGATION_MS = 3000
const SLOWEST_RESPONSE_MS = 300
const WRITERS = 4
/** Some seconds: what takes longer waits for something. */
const SOON_MS = 6000

/** Server processes, each behind a gate, with clients and writers. */
export class Fleet {
  readonly random: Random
  readonly tally: Tally = new Tally()
  readonly database: Database
  readonly clients: FleetClient[] = []
  readonly servers: ServerChild[]
  /** One before each server, where it is now. */
  readonly gates: readonly Gate[]
  /** What clients reported. */
  readonly errors: unknown[] = []
  readonly #options: Required<Omit<FleetOptions, 'proxyUrl'>>
  readonly #navigations = new Set<NodeJS.Timeout>()
  /** Items whose response is on its way: what makes a client watch them. */
  readonly #arriving = new Set<() => void>()
  #writers: Writers | undefined
  #proxyUrl: string | undefined

  private constructor(
    options: Required<Omit<FleetOptions, 'proxyUrl'>>,
    servers: ServerChild[],
    gates: readonly Gate[],
  ) {
    this.#options = options
    this.random = new Random(options.seed)
    this.database = new Database(options.items, options.rooms)
    this.servers = servers
    this.gates = gates
  }

  static async start({ proxyUrl, ...options }: FleetOptions): Promise<Fleet> {
    const complete = { items: 200, rooms: 4, itemsPerClient: 10, stickiness: 0.98, pauseMs: 20, ...options }
    const servers = await Promise.all(options.servers.map((server) => ServerChild.start(server)))
    const gates = await Promise.all(servers.map(({ port }) => Gate.open(port)))
    const fleet = new Fleet(complete, servers, gates)
    fleet.#proxyUrl = await proxyUrl?.(gates.map(({ port }) => port))
    for (let i = 0; i < options.clients; i++) fleet.#addClient()
    await until('all clients are live', () => fleet.clients.every(({ isLive }) => isLive), 60_000)
    return fleet
  }

  /** Writers write, and clients look at this and that, unless they are told not to. */
  begin({ navigates = true } = {}): void {
    const { random, database, tally } = this
    const { pauseMs } = this.#options
    const pickServer = (): string => random.pick(this.servers).url
    this.#writers = new Writers({ database, tally, random, pickServer, pauseMs, count: WRITERS })
    if (navigates) for (const client of this.clients) this.#navigateLater(client)
  }

  /** Nobody writes any more, and everything is healed: waits until nothing is missing, or for long enough. */
  async settle(patienceMs = 60_000): Promise<Verdict> {
    await this.#writers?.stop()
    this.#stopNavigating()
    const startedAt = performance.now()
    const isSettled = (): boolean => this.clients.every((client) => client.isFresh && client.isLive)
    const soonMs = Math.min(SOON_MS, patienceMs)
    const stragglers = (await comesTrue(isSettled, soonMs)) ? [] : this.#describeUnsettled()
    await comesTrue(isSettled, patienceMs - soonMs)
    return {
      lost: this.missed,
      notLive: this.clients.filter(({ isLive }) => !isLive).length,
      settledMs: Math.round(performance.now() - startedAt),
      stragglers,
    }
  }

  /** Changes one row and says so, to one server. Resolves with whether that was acknowledged. */
  write(row: Row, server: number): Promise<boolean> {
    return write(this, this.servers[server]!.url, [row], [itemTag(row.item)])
  }

  /** Acknowledged invalidations that clients have not seen, client by client. */
  get missed(): number {
    return this.clients.reduce((count, client) => count + client.missed(), 0)
  }

  /** Starts a new process in the place of one that is gone. */
  async restart(index: number): Promise<void> {
    const server = await ServerChild.start(this.#options.servers[index]!)
    this.servers[index] = server
    this.gates[index]!.target = server.port
  }

  /** What server processes said that ended by themselves. */
  get crashes(): readonly string[] {
    return this.servers.flatMap(({ crash }) => crash ?? [])
  }

  async close(): Promise<void> {
    this.#stopNavigating()
    for (const client of this.clients) client.close()
    await this.#writers?.stop()
    await Promise.all(this.gates.map((gate) => gate.close()))
    await Promise.all(this.servers.map((server) => server.kill()))
  }

  #describeUnsettled(): string[] {
    return this.clients
      .filter((client) => !client.isFresh || !client.isLive)
      .map((client) => `${JSON.stringify(client.status)}, ${client.missed()} missed`)
  }

  #addClient(): void {
    const { random, database, tally, errors } = this
    const room = 1 + random.below(database.scopes.length - 1)
    let gate = random.pick(this.gates)
    const route = (path: string): string => {
      if (this.#proxyUrl) return this.#proxyUrl + path
      const isWatch = path.endsWith('/watch')
      const other = random.pick(this.gates)
      if (!isWatch) gate = other
      return `http://127.0.0.1:${(isWatch && random.chance(this.#options.stickiness) ? gate : other).port}${path}`
    }
    const client = new FleetClient({
      database,
      tally,
      route,
      scopes: database.scopes.length > 1 ? [0, room] : [0],
      onError: (error) => errors.push(error),
    })
    this.clients.push(client)
    while (client.items.length < this.#options.itemsPerClient) client.show(random.below(database.items))
  }

  /** Some items go, others come; some of these are watched only after a while, as when their response is slow. */
  navigate(client: FleetClient): void {
    const { random } = this
    const count = 1 + random.below(3)
    for (let i = 0; i < count; i++) client.hide(random.pick(client.items))
    while (client.items.length < this.#options.itemsPerClient) {
      client.show(random.below(this.database.items), (watch) => {
        if (random.chance(0.5)) watch()
        else this.#arriveLater(watch)
      })
    }
  }

  #navigateLater(client: FleetClient): void {
    const timer = setTimeout(
      () => {
        this.#navigations.delete(timer)
        this.navigate(client)
        this.#navigateLater(client)
      },
      this.random.between(0, 2 * NAVIGATION_MS),
    )
    this.#navigations.add(timer)
  }

  #arriveLater(watch: () => void): void {
    const timer = setTimeout(() => arrive(), this.random.between(0, SLOWEST_RESPONSE_MS))
    const arrive = (): void => {
      clearTimeout(timer)
      this.#arriving.delete(arrive)
      watch()
    }
    this.#arriving.add(arrive)
  }

  #stopNavigating(): void {
    for (const timer of this.#navigations) clearTimeout(timer)
    this.#navigations.clear()
    for (const arrive of this.#arriving) arrive()
  }
}
