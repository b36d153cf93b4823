import { Exchange } from './exchange.ts'
import { CALM, type Conditions } from './conditions.ts'
import type { Process } from './clock.ts'
import type { User } from './people.ts'
import type { Server } from './server.ts'
import type { Sim } from './sim.ts'

/** Who sends requests: a page, or a reader without one. */
export interface Peer {
  readonly name: string
  readonly process: Process
  /** The server that its requests come out at. */
  server: Server
  readonly user: User | undefined
  /** It sends things that a server of this version does not know. */
  readonly isNewer: boolean
}

/** Between the pages and the servers. */
export class Network {
  readonly #sim: Sim
  readonly #servers: readonly Server[]
  readonly #exchanges = new Set<Exchange>()
  /** For each peer, what arrived last. */
  readonly #arrivals = new WeakMap<Peer, { readonly exchange: Exchange; readonly sentAt: number }>()
  conditions: Conditions = CALM

  constructor(sim: Sim, servers: readonly Server[]) {
    this.#sim = sim
    this.#servers = servers
  }

  /** Requests of which an end is still open. */
  get open(): readonly Exchange[] {
    return [...this.#exchanges]
  }

  get streams(): readonly Exchange[] {
    return this.open.filter((exchange) => exchange.isStream && !exchange.isLost)
  }

  streamNamed(connection: string | undefined): Exchange | undefined {
    return this.open.find(({ hello }) => hello !== undefined && hello.connection === connection)
  }

  /** What a peer has in place of the global `fetch`. It takes addresses as text only. */
  fetch(peer: Peer): typeof globalThis.fetch {
    return (input, init = {}) => {
      const { random } = this.#sim
      if (typeof input !== 'string') throw new TypeError('The simulated network takes addresses as text')
      const strays = random.chance(this.conditions.stray) && input.endsWith('/watch')
      const server = strays ? random.pick(this.#servers) : peer.server
      const exchange = new Exchange(this.#sim, this, peer, server, input, init)
      this.#exchanges.add(exchange)
      exchange.whenOver(() => this.#exchanges.delete(exchange))
      return exchange.answer
    }
  }

  /** Something arrived that was sent then. Only to count how often another connection was faster. */
  arrive(exchange: Exchange, sentAt: number): void {
    const last = this.#arrivals.get(exchange.peer)
    if (last && last.exchange !== exchange && last.sentAt > sentAt)
      this.#sim.saw('reordered across connections', exchange.peer.name)
    this.#arrivals.set(exchange.peer, { exchange, sentAt })
  }

  /** The time that one way takes. */
  latency(): number {
    const { random } = this.#sim
    if (random.chance(this.conditions.spike)) return random.between(1000, 15_000)
    return random.between(1, this.conditions.latencyMs)
  }

  /** A server died: its peers are told by a reset, or not at all. */
  lose(server: Server, isTold: boolean): void {
    for (const exchange of this.open) {
      if (exchange.server !== server) continue
      if (isTold) exchange.cut(false)
      else exchange.blackhole()
    }
  }
}
