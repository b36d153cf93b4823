import type { Clock } from '../../clock.ts'
import { describe, Lane } from './lane.ts'
import type { Connect } from './redis-driver.ts'

/** Channels that one command names. */
const BATCH = 500

export interface SubscriberEvents {
  readonly onMessage: (channel: string, message: string) => void
  readonly onResubscribed: (channels: readonly string[]) => void
  /** This server has it no more: in a cluster another one does. */
  readonly onMoved: (channel: string) => void
  readonly onLost: () => void
  readonly report: (error: unknown) => void
}

/** One connection for subscriptions. When it is lost, all of them are made anew on the next. */
export class SubscriberLane {
  readonly #lane: Lane
  readonly #events: SubscriberEvents
  /** What was asked for and not ended. Those that were not acknowledged on the present connection have to be asked for again. */
  readonly #channels = new Set<string>()
  readonly #acknowledged = new Set<string>()

  constructor(connect: Connect, clock: Clock, events: SubscriberEvents) {
    this.#events = events
    this.#lane = new Lane(connect, clock, {
      onOpen: () => void this.#restore(),
      onLost: () => {
        this.#acknowledged.clear()
        events.onLost()
      },
      onMessage: events.onMessage,
      onUnsubscribed: (channel) => {
        this.forget(channel)
        events.onMoved(channel)
      },
    })
  }

  get inFlight(): number {
    return this.#lane.inFlight
  }

  get channels(): ReadonlySet<string> {
    return this.#channels
  }

  /** Resolves when it is acknowledged. */
  async subscribe(channel: string): Promise<void> {
    if (this.#channels.has(channel) && this.#acknowledged.has(channel)) return
    await this.#lane.call((connection) => connection.subscribe([channel]))
    this.#channels.add(channel)
    if (this.#lane.isOpen) this.#acknowledged.add(channel)
  }

  /** Subscribes when there is a connection, and says when it is done. */
  adopt(channels: readonly string[]): void {
    for (const channel of channels) this.#channels.add(channel)
    this.#lane.open()
    if (this.#lane.isOpen) void this.#restore()
  }

  async unsubscribe(channel: string): Promise<void> {
    const wasAcknowledged = this.#acknowledged.has(channel)
    this.forget(channel)
    if (wasAcknowledged && this.#lane.isOpen) await this.#lane.call((connection) => connection.unsubscribe(channel))
  }

  forget(channel: string): void {
    this.#channels.delete(channel)
    this.#acknowledged.delete(channel)
  }

  async resubscribe(channel: string): Promise<void> {
    const ended = this.unsubscribe(channel)
    this.#channels.add(channel)
    await Promise.all([ended, this.subscribe(channel)])
  }

  renew(error: unknown): void {
    this.#lane.renew(error)
  }

  close(): void {
    this.#lane.close()
  }

  async #restore(): Promise<void> {
    const missing = [...this.#channels].filter((channel) => !this.#acknowledged.has(channel))
    for (let i = 0; i < missing.length; i += BATCH) {
      await this.#subscribeAll(missing.slice(i, i + BATCH).filter((channel) => this.#channels.has(channel)))
    }
  }

  async #subscribeAll(channels: readonly string[]): Promise<void> {
    if (channels.length === 0) return
    try {
      await this.#lane.call((connection) => connection.subscribe(channels))
    } catch (error) {
      // Lost again: the next connection restores them. Anything else is an answer.
      if (!this.#lane.isOpen) return
      if (/^(MOVED|ASK)\b/.test(describe(error))) return channels.forEach((channel) => this.#move(channel))
      this.#events.report(error)
      return this.#lane.renew(error)
    }
    const kept = channels.filter((channel) => this.#channels.has(channel))
    for (const channel of kept) this.#acknowledged.add(channel)
    // guard(look-after-resubscribing): what was recorded while nothing was heard sends no other message, guarantee 9
    this.#events.onResubscribed(kept)
  }

  #move(channel: string): void {
    this.forget(channel)
    this.#events.onMoved(channel)
  }
}
