import type { Clock } from '@query-tags/server'

/** Real time, which a test may set forward. Timers go by real time. */
export class ServerClock implements Clock {
  #shiftMs = 0

  shift(ms: number): void {
    this.#shiftMs += ms
  }

  now(): number {
    return performance.now() + this.#shiftMs
  }

  wallNow(): number {
    return Date.now() + this.#shiftMs
  }

  after(ms: number, callback: () => void): () => void {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  }

  random(): number {
    return Math.random()
  }
}
