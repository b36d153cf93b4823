// A namespace, looked into only when it is used: in browsers, where Storybook runs a system with a clock of its own, it is empty.
import * as nodeCrypto from 'node:crypto'

/**
 * The time, the timers and the randomness of a system. For tests and simulation: an application leaves it out and gets the real ones.
 */
export interface Clock {
  /** Monotonic milliseconds since some fixed point. Every duration is measured with it. */
  now(): number
  /** Wall-clock milliseconds since 1970. Read when a registry starts, and for an `expiresAt`. */
  wallNow(): number
  /** Calls back once, after at least `ms` milliseconds. The returned function cancels it. */
  after(ms: number, callback: () => void): () => void
  /** Uniform in [0, 1), with at least 32 random bits. Connection ids are made of it, so outside tests it has to be unpredictable. */
  random(): number
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms)
    return () => {
      clearTimeout(timer)
    }
  },
  random: () => nodeCrypto.webcrypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32,
}

/** A clock that knows how many of its timers are pending, so that a leaked one shows in `stats()`. */
export class CountingClock implements Clock {
  readonly #clock: Clock
  #pending = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get pendingTimers(): number {
    return this.#pending
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
    let pending = true
    this.#pending++
    const settle = (): boolean => {
      if (!pending) return false
      pending = false
      this.#pending--
      return true
    }
    const cancel = this.#clock.after(ms, () => {
      if (settle()) callback()
    })
    return () => {
      if (settle()) cancel()
    }
  }
}

/** Random hexadecimal digits, 8 for each 32 bits. */
export function randomId(clock: Clock, bits: 64 | 128): string {
  let id = ''
  for (let i = 0; i < bits; i += 32) {
    id += Math.floor(clock.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  }
  return id
}
