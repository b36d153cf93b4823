import { createMemoryRegistry, type Clock, type Missed, type Recorded, type TagRegistry } from '@query-tags/server'
import type { PlainTag } from '@query-tags/core'
import type { Process } from './clock.ts'
import type { Sim } from './sim.ts'

type Position = Awaited<ReturnType<TagRegistry['head']>>
type Listener = (recorded: Recorded) => void

/** What the servers share: a registry that can lose its memory under them, as a store that is flushed does. */
export class Store {
  readonly #create: () => TagRegistry
  readonly #listeners = new Map<string, Set<Listener>>()
  #registry: TagRegistry

  constructor(sim: Sim, limits: { readonly maxTagsPerScope: number; readonly maxBytes: number }) {
    const clock: Clock = {
      now: () => sim.clock.now,
      wallNow: () => sim.wall(sim.world),
      after: (ms, callback) => sim.clock.after(sim.world, ms, callback),
      random: () => sim.random.next(),
    }
    this.#create = () => createMemoryRegistry({ ...limits, clock })
    this.#registry = this.#create()
  }

  get registry(): TagRegistry {
    return this.#registry
  }

  get subscriptions(): number {
    return [...this.#listeners.values()].reduce((count, { size }) => count + size, 0)
  }

  /** Everything is forgotten. Whoever listens goes on listening. */
  async flush(): Promise<void> {
    this.#registry = this.#create()
    for (const scope of this.#listeners.keys()) await this.#listen(scope, this.#registry)
  }

  async subscribe(scope: string, listener: Listener): Promise<() => void> {
    const listeners = this.#listeners.get(scope)
    if (listeners) listeners.add(listener)
    else {
      this.#listeners.set(scope, new Set([listener]))
      await this.#listen(scope, this.#registry)
    }
    return () => this.#listeners.get(scope)?.delete(listener)
  }

  async #listen(scope: string, registry: TagRegistry): Promise<void> {
    await registry.subscribe(scope, (recorded) => {
      if (registry !== this.#registry) return
      for (const listener of this.#listeners.get(scope) ?? []) listener(recorded)
    })
  }
}

/** How one server reaches the store. */
export interface LinkState {
  /** `down`: every call fails. `hung`: none is answered. */
  state: 'up' | 'down' | 'hung'
  /** Probability that a message to a listener is lost. */
  loss: number
  /** Longest time of one way, in milliseconds. */
  delayMs: number
}

/** The store over a network: it answers late or never, and what it publishes may be lost, but not reordered. */
export class RegistryLink implements TagRegistry {
  readonly link: LinkState
  /** When the store last answered where a scope is. */
  readonly headAt: Map<string, number> = new Map()
  readonly #sim: Sim
  readonly #store: Store
  readonly #process: Process
  readonly #gaps = new Set<string>()
  readonly #unsubscribes = new Set<() => void>()

  constructor(sim: Sim, store: Store, process: Process, link: LinkState) {
    this.#sim = sim
    this.#store = store
    this.#process = process
    this.link = link
  }

  record(scope: string, tags: readonly PlainTag[]): Promise<Position> {
    return this.#call(() => this.#store.registry.record(scope, tags))
  }

  async since(scope: string, after: Position | { readonly ageMs: number }): Promise<Missed | 'expired'> {
    const missed = await this.#call(() => this.#store.registry.since(scope, after))
    if (this.#gaps.delete(scope)) this.#sim.saw('gap repair', `${this.#process.name} ${scope}`)
    return missed
  }

  async head(scope: string): Promise<Position> {
    const head = await this.#call(() => this.#store.registry.head(scope))
    this.headAt.set(scope, this.#sim.clock.now)
    return head
  }

  subscribe(scope: string, listener: Listener): Promise<() => void> {
    const queue: Recorded[] = []
    let isOver = false
    const deliver = (): void => {
      const recorded = queue.shift()!
      if (!isOver) listener(recorded)
    }
    return this.#call(async () => {
      const unsubscribe = await this.#store.subscribe(scope, (recorded) => {
        if (this.link.state !== 'up' || this.#sim.random.chance(this.link.loss)) {
          this.#gaps.add(scope)
          this.#sim.saw('lost message', `${this.#process.name} ${scope} ${recorded.seq}`)
          return
        }
        queue.push(recorded)
        // Each delivery takes the first, so that they stay in order whatever each takes.
        this.#sim.clock.after(this.#process, this.#delay(), deliver)
      })
      this.#unsubscribes.add(unsubscribe)
      return () => {
        isOver = true
        this.#unsubscribes.delete(unsubscribe)
        unsubscribe()
      }
    })
  }

  get subscriptions(): number {
    return this.#unsubscribes.size
  }

  /** The server is gone. */
  async close(): Promise<void> {
    for (const unsubscribe of this.#unsubscribes) unsubscribe()
    this.#unsubscribes.clear()
  }

  async #call<T>(call: () => Promise<T>): Promise<T> {
    await this.#way()
    const result = await call()
    await this.#way()
    return result
  }

  async #way(): Promise<void> {
    if (this.link.delayMs > 0) await this.#sim.pause(this.#process, this.#delay())
    if (this.link.state === 'down') throw new Error('simulated: the store is down')
    if (this.link.state === 'hung') await new Promise<never>(() => undefined)
  }

  #delay(): number {
    return this.#sim.random.between(0, this.link.delayMs)
  }
}
