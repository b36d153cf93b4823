import type { Clock } from '../../src/clock.ts'

/** A clock that stands still until it is told to move, with seeded randomness. */
export class FakeClock implements Clock {
  #now = 0
  #wall = 1_800_000_000_000
  #state: number
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>()

  constructor(seed = 1) {
    this.#state = seed
  }

  get timers(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#now
  }

  wallNow(): number {
    return this.#wall
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback }
    this.#timers.add(timer)
    return () => {
      this.#timers.delete(timer)
    }
  }

  /** mulberry32 */
  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** Lets time pass, timer by timer, and everything that they set off happen. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#timers.delete(next)
      this.#move(Math.max(this.#now, next.at))
      next.callback()
      await settle()
    }
    this.#move(end)
    await settle()
  }

  #move(to: number): void {
    this.#wall += to - this.#now
    this.#now = to
  }
}

/** Resolves when every promise that can resolve by itself has. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
