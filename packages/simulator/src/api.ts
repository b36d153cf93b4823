import type { Network } from './network.ts'
import type { Page } from './page.ts'
import type { Sim } from './sim.ts'

/** The app's own API, which query-tags has no part in: reads and writes, slow, and at times failing. */
export class Api {
  readonly #sim: Sim
  readonly #network: Network
  readonly #page: Page

  constructor(sim: Sim, network: Network, page: Page) {
    this.#sim = sim
    this.#network = network
    this.#page = page
  }

  /** Has the server do something, and tells the page what came of it. It may be done, and the page told of an error. */
  async call<T>(work: () => T | Promise<T>): Promise<T> {
    const { random } = this.#sim
    const failsAt = random.chance(this.#network.conditions.failRead) ? random.pick(['before', 'after']) : 'never'
    const { apiMs } = this.#network.conditions
    await this.#sim.pause(this.#page.process, this.#network.latency() / 2)
    await this.#sim.pause(this.#sim.world, random.between(0, apiMs))
    let result: T | undefined
    if (failsAt !== 'before') result = await work()
    await this.#sim.pause(this.#page.process, this.#network.latency() + random.between(0, apiMs))
    if (failsAt === 'never') return result as T
    this.#sim.saw('failed API call', this.#page.name)
    throw new Error('simulated: the API failed')
  }
}
