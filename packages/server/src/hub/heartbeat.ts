import { encodeFrame } from '@query-tags/core'
import type { Clock } from '../clock.ts'
import type { Channel } from './channel.ts'
import type { Connection } from './connection.ts'
import { toBytes } from './invalidation.ts'

/** How often the wheel turns, at most. */
const MIN_TURN_MS = 250
const MAX_SLOTS = 64

/** Heartbeats that are written in one step: encoded once for all connections that are at the same place. */
export class HeartbeatFrames {
  readonly #retryMs: number
  readonly #frames = new Map<string, Uint8Array>()

  constructor(retryMs: number) {
    this.#retryMs = retryMs
  }

  of(connection: Connection): Uint8Array {
    const verified = connection.isVerified
    const name = `${verified} ${connection.cursorName}`
    let frame = this.#frames.get(name)
    if (!frame) {
      frame = toBytes(encodeFrame('heartbeat', { cursor: connection.cursor(), verified, retryMs: this.#retryMs }))
      this.#frames.set(name, frame)
    }
    return frame
  }
}

/** What the wheel needs of its hub. */
export interface HeartbeatHost {
  readonly clock: Clock
  heartbeatFrames(): HeartbeatFrames
  /** Verifies what there is besides the channels of connections, if it is due. Never rejects. */
  verify(isDue: IsDue): Promise<void>
}

/** Whether a channel has to be compared with the registry in this turn. */
export type IsDue = (channel: Channel) => boolean

/**
 * Beats every connection once in `heartbeatMs`, with one timer for all of them. Connections are spread over slots, of which each turn of
 * the wheel serves one. Without connections there is no timer.
 */
export class HeartbeatWheel {
  readonly #host: HeartbeatHost
  readonly #turnMs: number
  readonly #slots: Set<Connection>[]
  readonly #slotOf = new Map<Connection, Set<Connection>>()
  /** In which turn a channel was last compared with the registry. */
  #verifiedIn = new WeakMap<Channel, number>()
  #turn = 0
  #seat = 0
  #dueAt = 0
  #cancel: (() => void) | undefined

  constructor(host: HeartbeatHost, heartbeatMs: number) {
    const slots = Math.min(MAX_SLOTS, Math.max(1, Math.floor(heartbeatMs / MIN_TURN_MS)))
    this.#host = host
    this.#turnMs = heartbeatMs / slots
    this.#slots = Array.from({ length: slots }, () => new Set())
  }

  add(connection: Connection): void {
    const slot = this.#slots[this.#seat]!
    this.#seat = (this.#seat + 1) % this.#slots.length
    slot.add(connection)
    this.#slotOf.set(connection, slot)
    if (this.#cancel) return
    this.#dueAt = this.#host.clock.now()
    this.#schedule()
  }

  delete(connection: Connection): void {
    this.#slotOf.get(connection)?.delete(connection)
    this.#slotOf.delete(connection)
    if (this.#slotOf.size > 0) return
    this.#cancel?.()
    this.#cancel = undefined
    // No turn counts the time until the next connection.
    this.#verifiedIn = new WeakMap()
  }

  #schedule(): void {
    const now = this.#host.clock.now()
    // Counted from when it was due, so that delays do not add up; a wheel that is far behind does not try to catch up.
    this.#dueAt = Math.max(this.#dueAt + this.#turnMs, now)
    this.#cancel = this.#host.clock.after(this.#dueAt - now, () => {
      const turn = this.#turn++
      const slot = this.#slots[turn % this.#slots.length]!
      this.#schedule()
      if (slot.size > 0) void this.#beat([...slot], (channel) => this.#isDue(channel, turn))
    })
  }

  /**
   * Once in a round, whoever beats first: what a heartbeat says of a scope that many are in is at most one `heartbeatMs` old. Counted in turns,
   * since a clock would put a channel off for a round when its turn is early by a millisecond.
   */
  #isDue(channel: Channel, turn: number): boolean {
    const before = this.#verifiedIn.get(channel)
    // guard(beat-verified): one that failed, or is not answered yet, says nothing about now, guarantee 9
    if (before !== undefined && (!channel.verified || channel.isVerifying)) return true
    if (before !== undefined && turn - before < this.#slots.length) return false
    this.#verifiedIn.set(channel, turn)
    return true
  }

  /** All heads are asked for in one task. */
  async #beat(connections: readonly Connection[], isDue: IsDue): Promise<void> {
    const channels = new Set<Channel>()
    for (const connection of connections) for (const channel of connection.channels) channels.add(channel)
    const due = [...channels].filter(isDue)
    // A registry that nobody asks is not known to be up to date.
    await Promise.all([this.#host.verify(isDue), ...due.map((channel) => channel.verify())])
    const frames = this.#host.heartbeatFrames()
    for (const connection of connections) connection.beat(frames)
  }
}
