import { elapsedMs, momentOf, type Moment } from './clock.ts'
import type { Environment } from './environment.ts'

/** Notices a stream that went silent: a half-open socket raises no error. */
export class Watchdog {
  readonly #environment: Environment
  readonly #onSilent: () => void
  #limitMs = 0
  #last: Moment
  #cancel: (() => void) | undefined

  constructor(environment: Environment, onSilent: () => void) {
    this.#environment = environment
    this.#onSilent = onSilent
    this.#last = momentOf(environment)
  }

  /** Watches from now on; more than `limitMs` without a byte is too long. */
  start(limitMs: number): void {
    this.stop()
    this.#limitMs = limitMs
    this.touch()
    this.#sleep(limitMs)
  }

  /** A byte arrived. */
  touch(): void {
    this.#last = momentOf(this.#environment)
  }

  /** Looks now. To be called whenever time may have passed unseen: back online, thawed, visible again. */
  check(): void {
    if (!this.#cancel) return
    this.#cancel()
    const silentMs = elapsedMs(this.#environment, this.#last)
    // A touch moves no timer; the timer that it outlived is set again for the rest.
    if (silentMs < this.#limitMs) return this.#sleep(this.#limitMs - silentMs)
    // guard(silent-stream): a half-open socket raises no error, and nothing comes out of it any more, guarantee 9
    this.#onSilent()
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #sleep(ms: number): void {
    this.#cancel = this.#environment.after(ms, () => this.check())
  }
}
