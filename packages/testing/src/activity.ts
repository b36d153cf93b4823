/** Hops of the microtask queue between the end of one thing and the start of what follows from it; more than any chain here has. */
const HOPS = 50

/** What is under way: requests, answers, timers that are about to fire. */
export class Activity {
  #running = 0
  #begun = 0
  #onQuiet: (() => void)[] = []

  /** How much has begun so far. */
  get begun(): number {
    return this.#begun
  }

  /** The returned function says that it is over; only its first call counts. */
  begin(): () => void {
    let isOver = false
    this.#running++
    this.#begun++
    return () => {
      if (isOver) return
      isOver = true
      if (--this.#running > 0) return
      for (const resolve of this.#onQuiet.splice(0)) resolve()
    }
  }

  async during<T>(work: Promise<T>): Promise<T> {
    const end = this.begin()
    try {
      return await work
    } finally {
      end()
    }
  }

  /** Resolves when nothing is under way, and nothing follows from what was. */
  async quiet(): Promise<void> {
    do {
      // Waited for without turns of the event loop or timers, which may be fake ones.
      if (this.#running > 0) await new Promise<void>((resolve) => this.#onQuiet.push(resolve))
      for (let i = 0; i < HOPS; i++) await Promise.resolve()
    } while (this.#running > 0)
  }
}
