import type { Clock } from '../clock.ts'
import { toBytes } from './invalidation.ts'
import type { EventSink } from './sink.ts'

/** How long a peer may take to fetch the end of a stream. */
const END_GRACE_MS = 1500

/**
 * The writing end of one connection: knows whether the sink takes more, gives up on one that has not for too long, and sees to it that an
 * ended response does not stay open.
 */
export class Outbox {
  readonly #sink: EventSink
  readonly #clock: Clock
  readonly #stallMs: number
  #isFull = false
  #over = false
  #cancelTimer: (() => void) | undefined

  constructor(sink: EventSink, clock: Clock, stallMs: number) {
    this.#sink = sink
    this.#clock = clock
    this.#stallMs = stallMs
  }

  /** The sink wants no more for now. */
  get isFull(): boolean {
    return this.#isFull
  }

  write(frame: string | Uint8Array): void {
    if (this.#over) return
    const wantsMore = this.#sink.write(typeof frame === 'string' ? toBytes(frame) : frame)
    if (wantsMore || this.#isFull) return
    this.#isFull = true
    // guard(write-stall): a reader that does not read any more must not be kept until it is noticed otherwise, guarantee 13
    this.#cancelTimer = this.#clock.after(this.#stallMs, () => {
      this.destroy()
    })
  }

  drained(): void {
    this.#isFull = false
    if (!this.#over) this.#cancelTimer?.()
  }

  /** Ends the response; cuts it off when it is not over soon. */
  end(): void {
    if (this.#over) return
    this.#over = true
    this.#cancelTimer?.()
    this.#cancelTimer = this.#clock.after(END_GRACE_MS, () => {
      this.#sink.destroy()
    })
    this.#sink.end()
  }

  destroy(): void {
    this.#over = true
    this.#cancelTimer?.()
    this.#sink.destroy()
  }

  /** The response is over. */
  closed(): void {
    this.#over = true
    this.#cancelTimer?.()
  }
}
