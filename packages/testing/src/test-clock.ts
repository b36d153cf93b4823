import type { Clock } from '@query-tags/server'

/** 2026, in milliseconds since 1970. */
const START_MS = 1_780_000_000_000

/** The server's time, which passes when something is recorded and stands still otherwise. So no timer of it ever fires. */
export class TestClock implements Clock {
  #now = 0
  #seed = 0

  now(): number {
    return this.#now
  }

  wallNow(): number {
    return START_MS + this.#now
  }

  tick(): void {
    this.#now++
  }

  after(): () => void {
    return () => undefined
  }

  /** Ids are made of it: the same ones in each run, and no two alike. A multiplicative hash of a counter. */
  random(): number {
    this.#seed = (this.#seed + 1) >>> 0
    return (Math.imul(this.#seed, 0x9e3779b1) >>> 0) / 2 ** 32
  }
}
