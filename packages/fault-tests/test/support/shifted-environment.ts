import { browserEnvironment, type Environment, type PageEvent } from '@query-tags/http-client'

/** Real time, which a test may set forward: for what is due in half a minute. Retries come as soon as they may. */
export class ShiftedEnvironment implements Environment {
  readonly #real = browserEnvironment()
  readonly #timers = new Set<{ dueAt: number; readonly fire: () => void; cancel: () => void }>()
  readonly loadedAt: Environment['loadedAt']
  #shiftMs = 0

  constructor() {
    this.loadedAt = { now: this.now(), wall: this.wallNow() }
  }

  now(): number {
    return this.#real.now() + this.#shiftMs
  }

  wallNow(): number {
    return this.#real.wallNow() + this.#shiftMs
  }

  /** As if this much time had passed. */
  shift(ms: number): void {
    this.#shiftMs += ms
    for (const timer of this.#timers) {
      timer.cancel()
      timer.cancel = this.#real.after(Math.max(0, timer.dueAt - this.now()), timer.fire)
    }
  }

  after(ms: number, callback: () => void): () => void {
    const fire = (): void => {
      this.#timers.delete(timer)
      callback()
    }
    const timer = { dueAt: this.now() + ms, fire, cancel: this.#real.after(ms, fire) }
    this.#timers.add(timer)
    return () => {
      this.#timers.delete(timer)
      timer.cancel()
    }
  }

  random(): number {
    return 0
  }

  isOnline(): boolean {
    return true
  }

  onPageEvent(_listener: (event: PageEvent) => void): () => void {
    return () => undefined
  }
}
