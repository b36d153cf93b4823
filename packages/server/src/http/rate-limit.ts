const WINDOW_MS = 1000

/** Counts the control calls of each connection, second by second. */
export class RateLimit {
  readonly #maxPerSecond: number
  readonly #windows = new WeakMap<object, { startedAt: number; calls: number }>()

  constructor(maxPerSecond: number) {
    this.#maxPerSecond = maxPerSecond
  }

  /** Counts a call. False when there were too many. */
  admits(caller: object, now: number): boolean {
    let window = this.#windows.get(caller)
    if (!window || now - window.startedAt >= WINDOW_MS)
      this.#windows.set(caller, (window = { startedAt: now, calls: 0 }))
    return ++window.calls <= this.#maxPerSecond
  }
}
