import type { Environment, PageEvent } from '../../src/client/environment.ts'

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/** Virtual time. Nothing happens until `advance`, and then in order, with every promise settled in between. */
export class FakeEnvironment implements Environment {
  #now = 0
  #wall = 1_700_000_000_000
  readonly #timers = new Set<Timer>()
  readonly #listeners = new Set<(event: PageEvent) => void>()
  readonly loadedAt: Environment['loadedAt'] = { now: 0, wall: 1_700_000_000_000 }
  online = true
  /** What `random` answers. */
  chance = 0.5

  now(): number {
    return this.#now
  }

  wallNow(): number {
    return this.#wall
  }

  random(): number {
    return this.chance
  }

  isOnline(): boolean {
    return this.online
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  onPageEvent(listener: (event: PageEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Timers and page listeners that are still there. */
  get leftovers(): number {
    return this.#timers.size + this.#listeners.size
  }

  page(event: PageEvent): void {
    if (event === 'offline') this.online = false
    if (event === 'online') this.online = true
    for (const listener of this.#listeners) listener(event)
  }

  /** The machine sleeps: only the wall clock goes on. */
  sleep(ms: number): void {
    this.#wall += ms
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0]
      this.#moveTo(due ? due.at : end)
      if (!due) return
      this.#timers.delete(due)
      due.callback()
      await settle()
    }
  }

  #moveTo(time: number): void {
    this.#wall += time - this.#now
    this.#now = time
  }
}

/** Lets every promise that can settle do so. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
