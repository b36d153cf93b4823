import type { Clock } from '../../clock.ts'
import { historyOf } from './script.ts'

/** A step of the store's clock up to this is within the slack of any age. */
const TOLERANCE_MS = 1000
/** How much the two clocks may run apart, at most. */
const DRIFT = 0.001
/** No age that counts is longer. */
const DOUBT_MS = 600_000

/** Servers, each with a clock of its own, that are remembered. */
const MAX_CLOCKS = 1000

/** The clocks of all servers, by the history that their epochs tell of. */
export class StoreClocks {
  readonly #clock: Clock
  readonly #clocks = new Map<string, StoreClock>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  of(epoch: string): StoreClock {
    const history = historyOf(epoch)
    const found = this.#clocks.get(history)
    if (found) return found
    if (this.#clocks.size >= MAX_CLOCKS) this.#clocks.delete(this.#clocks.keys().next().value!)
    const created = new StoreClock(this.#clock)
    this.#clocks.set(history, created)
    return created
  }
}

/**
 * Watches the clock of a server. An age reaches back from the store's present time; when its clock is set forward, what was recorded before
 * looks older than it is, and the age would not reach it.
 */
export class StoreClock {
  readonly #clock: Clock
  /** The most that the store's clock can be ahead of ours. */
  #ahead: number | undefined
  #ratedAt = 0
  #doubtUntil = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether an age can't be told from the store's time. */
  get isDoubtful(): boolean {
    return this.#clock.now() < this.#doubtUntil
  }

  /** The store told its time (in microseconds) in an answer to what was sent then. */
  observe(storeTimeUs: number, sentAt: number): void {
    const now = this.#clock.now()
    const storeTime = storeTimeUs / 1000
    const ahead = (this.#ahead ?? Infinity) + (now - this.#ratedAt) * DRIFT
    // guard(clock-step): after a step forward an age would pass over what was recorded before it, guarantee 1
    if (storeTime - now > ahead + TOLERANCE_MS) this.#doubtUntil = now + DOUBT_MS
    const atMost = storeTime - sentAt
    this.#ahead = storeTime - now > ahead ? atMost : Math.min(ahead, atMost)
    this.#ratedAt = now
  }
}
