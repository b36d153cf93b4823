import type { Clock } from '../../../../src/clock.ts'
import { openKeyvRegistry, type KeyvRegistryOptions } from '../../../../src/registry/keyv/keyv-registry.ts'
import type { KeyvStore } from '../../../../src/registry/store.ts'
import type { TagRegistry } from '../../../../src/registry/tag-registry.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FaultyKeyv } from './faulty-keyv.ts'

/** Registries of processes on machines of their own, which share one clock. */
export class KeyvWorld {
  readonly clock = new FakeClock()
  readonly reports: unknown[] = []
  #machines = 0

  open(keyv: KeyvStore, { limits, clock = this.clock }: KeyvRegistryOptions & { clock?: Clock } = {}): TagRegistry {
    const host = `host-${++this.#machines}`
    const identify = () => Promise.resolve({ place: host, pid: this.#machines, startedAt: '', host })
    const context = { clock, report: (error: unknown) => this.reports.push(error) }
    return openKeyvRegistry(keyv, context, { identify, ...(limits && { limits }) })
  }

  /** What a process finds that starts after the one before was killed. */
  async reopen(data: ReadonlyMap<string, unknown>): Promise<TagRegistry> {
    const registry = this.open(new FaultyKeyv(new Map(data)))
    await this.clock.advance(20_000)
    return registry
  }

  /** Lets time pass until a call is answered. */
  async soon<T>(call: Promise<T>, ms = 100): Promise<T> {
    const [settled] = await Promise.all([Promise.allSettled([call]), this.clock.advance(ms)])
    const [outcome] = settled
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  }
}

/** The clock of a process that is stopped: what is due then happens when it goes on. */
export class StoppableClock implements Clock {
  readonly #clock: Clock
  #held: (() => void)[] | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  stop(): void {
    this.#held ??= []
  }

  resume(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const callback of held) callback()
  }

  now(): number {
    return this.#clock.now()
  }

  wallNow(): number {
    return this.#clock.wallNow()
  }

  random(): number {
    return this.#clock.random()
  }

  after(ms: number, callback: () => void): () => void {
    let isCancelled = false
    const run = (): void => {
      if (!isCancelled) callback()
    }
    const cancel = this.#clock.after(ms, () => {
      if (this.#held) this.#held.push(run)
      else run()
    })
    return () => {
      isCancelled = true
      cancel()
    }
  }
}
