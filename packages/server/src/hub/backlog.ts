import { encodeFrame, encodeInvalidate, formatPosition, type Position, type ResetReason } from '@query-tags/core'
import type { Channel } from './channel.ts'

/** What one scope has waiting: tags with the `seq` of their latest invalidation, or a reset that stands for all of them. */
interface Waiting {
  at: Position
  readonly tags: Map<string, number>
  reset: ResetReason | undefined
}

/**
 * What a connection could not be sent yet, merged: per scope each tag once, however often it was invalidated. Bounded; what exceeds the
 * bound becomes a reset.
 */
export class Backlog {
  readonly #maxBytes: number
  readonly #onReset: (reason: ResetReason) => void
  readonly #waiting = new Map<Channel, Waiting>()
  /** Tags that the registry could not take. They have no position. */
  readonly #unrecorded = new Map<Channel, Set<string>>()
  #bytes = 0

  /** @param onReset called for each reset that is written into it. */
  constructor(maxBytes: number, onReset: (reason: ResetReason) => void) {
    this.#maxBytes = maxBytes
    this.#onReset = onReset
  }

  /** Bytes of the tags that wait. */
  get bytes(): number {
    return this.#bytes
  }

  add(channel: Channel, at: Position, keys: readonly string[]): void {
    if (keys.length === 0) return
    const waiting = this.#of(channel, at)
    if (waiting.reset) return
    waiting.at = at
    for (const key of keys) {
      // Deleted first, so that the map stays in order of the latest invalidation.
      if (!waiting.tags.delete(key)) this.#bytes += key.length
      waiting.tags.set(key, at.seq)
    }
    // guard(backlog-cap): a reader that stopped reading must not hold more memory than the cap, guarantee 10
    if (this.#bytes > this.#maxBytes) this.reset(channel, 'overflow')
  }

  /** What does not fit is left out: nothing was promised of it. */
  addUnrecorded(channel: Channel, keys: readonly string[]): void {
    if (this.#waiting.get(channel)?.reset) return
    const unrecorded = this.#unrecorded.get(channel) ?? new Set()
    for (const key of keys) {
      if (unrecorded.has(key) || this.#bytes + key.length > this.#maxBytes) continue
      unrecorded.add(key)
      this.#bytes += key.length
    }
    if (unrecorded.size > 0) this.#unrecorded.set(channel, unrecorded)
  }

  /** Replaces what waits in a scope by a reset. */
  reset(channel: Channel, reason: ResetReason): void {
    this.forget(channel)
    this.#of(channel, channel.head).reset = reason
    this.#onReset(reason)
  }

  forget(channel: Channel): void {
    for (const key of this.#waiting.get(channel)?.tags.keys() ?? []) this.#bytes -= key.length
    for (const key of this.#unrecorded.get(channel) ?? []) this.#bytes -= key.length
    this.#waiting.delete(channel)
    this.#unrecorded.delete(channel)
  }

  /** Leaves out what a replay up to `head` has told. A reset stays. */
  forgetUpTo(channel: Channel, head: Position): void {
    const waiting = this.#waiting.get(channel)
    if (!waiting || waiting.reset) return
    for (const [key, seq] of waiting.tags) {
      if (seq > head.seq) continue
      waiting.tags.delete(key)
      this.#bytes -= key.length
    }
    if (waiting.tags.size === 0) this.#waiting.delete(channel)
  }

  /** Takes everything out, as frames: one `invalidate` for each scope, with a position and without; one `reset` for each reason. */
  take(): string[] {
    const frames = [...this.#unrecorded].map(([{ scope }, keys]) => encodeInvalidate(scope, undefined, [...keys]))
    const resets = new Map<ResetReason, Channel[]>()
    for (const [channel, { at, tags, reset }] of this.#waiting) {
      if (reset) resets.set(reset, [...(resets.get(reset) ?? []), channel])
      else frames.push(encodeInvalidate(channel.scope, formatPosition(at), [...tags.keys()]))
    }
    for (const [reason, channels] of resets) frames.push(encodeReset(channels, reason))
    this.#waiting.clear()
    this.#unrecorded.clear()
    this.#bytes = 0
    return frames
  }

  #of(channel: Channel, at: Position): Waiting {
    let waiting = this.#waiting.get(channel)
    if (!waiting) this.#waiting.set(channel, (waiting = { at, tags: new Map(), reset: undefined }))
    return waiting
  }
}

/** A reset of some scopes, to where they are now. */
function encodeReset(channels: readonly Channel[], reason: ResetReason): string {
  return encodeFrame('reset', {
    scopes: channels.map(({ scope }) => scope),
    cursor: Object.fromEntries(channels.map((channel) => [channel.scope, formatPosition(channel.head)])),
    reason,
    spreadMs: Math.max(...channels.map((channel) => channel.spreadMs)),
  })
}
