import {
  encodeFrame,
  formatPosition,
  type ByeReason,
  type Cursor,
  type HelloFrame,
  type PlainTag,
  type Position,
  type ResetReason,
} from '@query-tags/core'
import type { Clock } from '../clock.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { Backlog } from './backlog.ts'
import type { Channel } from './channel.ts'
import type { HeartbeatFrames } from './heartbeat.ts'
import type { Invalidation } from './invalidation.ts'
import { Outbox } from './outbox.ts'
import { resume, toReplay, type ResumeRequest, type Resumption } from './resume.ts'
import type { EventSink } from './sink.ts'
import { Watcher, type Member } from './watcher.ts'

/** What a connection is about. */
export interface ConnectionRequest {
  readonly watcher: string
  readonly watch: readonly PlainTag[] | '*'
  readonly resume: ResumeRequest
}

/** What a connection needs of its hub. */
export interface ConnectionHost {
  readonly clock: Clock
  readonly metrics: Metrics
  readonly maxBacklogBytes: number
  readonly writeStallMs: number
  /** For the hello. */
  greeting(): Omit<HelloFrame, 'connection' | 'cursor'>
  /** A heartbeat for one connection by itself. */
  heartbeatFrames(): HeartbeatFrames
  /** What the client should wait before it comes back, at most. */
  retryMs(): number
  report(error: unknown, phase: 'registry' | 'stream'): void
  /** The connection takes no part any more. */
  left(connection: Connection): void
  /** Its response is over. */
  ended(connection: Connection): void
}

/** A writer opens a stream in the same task; one that has not after this long failed to. */
const RESERVED_MS = 10_000
/** A longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

type Phase = 'reserved' | 'resuming' | 'live' | 'left'

/** One open stream: from the moment it was admitted until its response is over. */
export class Connection implements Member {
  readonly id: string
  /** Identities of its scopes, the global one first. */
  readonly scopes: readonly string[]
  readonly channels: readonly Channel[]
  readonly watchers: Map<string, Watcher> = new Map()
  readonly #name: string
  readonly #host: ConnectionHost
  readonly #request: ConnectionRequest
  readonly #backlog: Backlog
  /** Scopes that the hello left out and no reset has brought yet. */
  readonly #unknown = new Set<Channel>()
  #outbox: Outbox | undefined
  #phase: Phase = 'reserved'
  /** Said in place of a hello when the stream had to end before it was opened. */
  #farewell: string | undefined
  #owesHeartbeat = false
  /** When the next heartbeat ends it. */
  #endsAt: number
  #cancelExpiry: (() => void) | undefined

  constructor(id: string, channels: readonly Channel[], request: ConnectionRequest, host: ConnectionHost) {
    this.id = id
    this.channels = channels
    this.scopes = channels.map(({ scope }) => scope)
    this.#name = this.scopes.join()
    this.#host = host
    this.#endsAt = host.clock.now() + RESERVED_MS
    this.#request = request
    this.#backlog = new Backlog(host.maxBacklogBytes, (reason) => {
      host.metrics.resets.add(reason)
    })
    this.watchers.set(request.watcher, new Watcher(this, request.watch))
  }

  get isOver(): boolean {
    return this.#phase === 'left'
  }

  /** Bytes of tags that wait for the sink. */
  get backlogBytes(): number {
    return this.#backlog.bytes
  }

  /** Starts the stream. It ends with a bye after `maxMs`, looked at with each heartbeat; after `expiresInMs` at once. */
  open(sink: EventSink, maxMs: number, expiresInMs: number): void {
    this.#outbox = new Outbox(sink, this.#host.clock, this.#host.writeStallMs)
    if (this.#phase === 'left') {
      if (this.#farewell) this.#outbox.write(this.#farewell)
      this.#outbox.end()
      return
    }
    this.#endsAt = this.#host.clock.now() + maxMs
    if (expiresInMs < maxMs) this.#endAfter(expiresInMs)
    this.#phase = 'resuming'
    for (const channel of this.channels) channel.join(this)
    void Promise.all(this.channels.map((channel) => resume(channel, this.#request.resume))).then((resumptions) => {
      if (this.#phase === 'resuming') this.#guarded(() => this.#goLive(resumptions))
    })
  }

  deliver(channel: Channel, invalidation: Invalidation<Position | undefined>): void {
    // guard(unknown-scope-is-silent): only a reset may bring the scope; a frame would pass for a position in it, guarantee 5
    if (invalidation.at && this.#unknown.has(channel)) return
    this.#guarded(() => this.#deliver(channel, invalidation))
  }

  reset(channel: Channel, reason: ResetReason): void {
    if (this.#unknown.has(channel)) return
    this.#guarded(() => {
      this.#backlog.reset(channel, reason)
      if (this.#phase === 'live' && !this.#outbox?.isFull) this.#flush()
    })
  }

  /** Writes a heartbeat, or ends a stream that has lasted long enough. The channels were just verified. */
  beat(frames: HeartbeatFrames): void {
    if (this.#phase === 'reserved' && this.#host.clock.now() >= this.#endsAt) return this.closed()
    if (this.#phase !== 'live') return
    // guard(max-stream): neither a revoked session nor a peer that is gone without a word may stay for ever, guarantee 13
    if (this.#host.clock.now() >= this.#endsAt) return this.bye('reauthorize', 0)
    this.#guarded(() => {
      this.#recover()
      // guard(heartbeat-waits): its cursor covers what is in the backlog, so it must not overtake it, guarantee 5
      if (this.#outbox?.isFull) return void (this.#owesHeartbeat = true)
      this.#outbox?.write(frames.of(this))
    })
  }

  /** Positions up to which everything was written or did not match. */
  cursor(): Cursor {
    const known = this.channels.filter((channel) => !this.#unknown.has(channel))
    return Object.fromEntries(known.map((channel) => [channel.scope, formatPosition(channel.head)]))
  }

  /** Names what {@link cursor} is about: equal for connections that have the same one. */
  get cursorName(): string {
    if (this.#unknown.size === 0) return this.#name
    return `${this.#name} but ${[...this.#unknown].map(({ scope }) => scope).join()}`
  }

  get isVerified(): boolean {
    return this.#unknown.size === 0 && this.channels.every((channel) => channel.verified)
  }

  /** Adds a watcher, or finds it. */
  watcher(id: string): Watcher {
    let watcher = this.watchers.get(id)
    if (!watcher) this.watchers.set(id, (watcher = new Watcher(this, [])))
    return watcher
  }

  /** Ends the stream in good order. What waits in the backlog is not sent: the client's cursor is before it. */
  bye(reason: ByeReason, retryMs: number): void {
    if (this.#phase === 'left') return
    this.#farewell = encodeFrame('bye', { reason, retryMs })
    this.#guarded(() => {
      this.#outbox?.write(this.#farewell!)
      this.#outbox?.end()
    })
    this.#leave()
  }

  drained(): void {
    this.#outbox?.drained()
    if (this.#phase !== 'live') return
    this.#guarded(() => {
      this.#flush()
      if (!this.#owesHeartbeat || this.#outbox?.isFull) return
      this.#owesHeartbeat = false
      this.#outbox?.write(this.#host.heartbeatFrames().of(this))
    })
  }

  /** The response is over, or was never begun. */
  closed(): void {
    this.#outbox?.closed()
    this.#leave()
    this.#host.ended(this)
  }

  /** Cuts the stream off. */
  destroy(): void {
    this.#leave()
    if (this.#outbox) this.#outbox.destroy()
    else this.#host.ended(this)
  }

  #deliver(channel: Channel, invalidation: Invalidation<Position | undefined>): void {
    // guard(buffer-during-resume): before the hello nothing may be written, and after it the replay comes first, guarantee 6
    if (this.#phase === 'resuming') return this.#keep(channel, invalidation)
    // guard(merge-while-full): a sink that takes no more would keep every frame, guarantee 10
    if (this.#outbox?.isFull) {
      this.#host.metrics.backlogMerges++
      return this.#keep(channel, invalidation)
    }
    this.#outbox?.write(invalidation.frame)
  }

  #keep(channel: Channel, invalidation: Invalidation<Position | undefined>): void {
    const keys = invalidation.keysFor(this)
    if (invalidation.at) this.#backlog.add(channel, invalidation.at, keys)
    else this.#backlog.addUnrecorded(channel, keys)
  }

  /** In one step, so that no live message comes between the hello, the replay, what was buffered, and what follows. */
  #goLive(resumptions: readonly Resumption[]): void {
    const cursor: Record<string, string> = {}
    const replay: string[] = []
    this.channels.forEach((channel, i) => {
      const resumption = resumptions[i]!
      if (resumption.kind === 'unknown') return this.#leaveOut(channel, resumption.error)
      const frames = resumption.kind === 'missed' ? toReplay(this, channel.scope, resumption) : resumption.reason
      if (resumption.kind === 'expired' || typeof frames === 'string')
        return this.#backlog.reset(channel, frames as ResetReason)
      cursor[channel.scope] = formatPosition(resumption.from)
      for (const frame of frames) replay.push(frame)
      this.#backlog.forgetUpTo(channel, resumption.head)
    })
    this.#outbox?.write(encodeFrame('hello', { ...this.#host.greeting(), connection: this.id, cursor }))
    for (const frame of replay) this.#outbox?.write(frame)
    // Not before: a web stream with a waiting reader asks for more within a write, and would get the buffer ahead of the replay.
    this.#phase = 'live'
    this.#flush()
  }

  #flush(): void {
    for (const frame of this.#backlog.take()) this.#outbox?.write(frame)
  }

  #leaveOut(channel: Channel, error: unknown): void {
    // guard(unknown-scope): its position is not known, so no heartbeat may say that it is, guarantee 3
    this.#unknown.add(channel)
    this.#backlog.forget(channel)
    this.#host.report(error, 'registry')
  }

  /** Brings scopes that could not be resolved before, now that the registry answers. */
  #recover(): void {
    for (const channel of this.#unknown) {
      if (!channel.verified) continue
      this.#unknown.delete(channel)
      this.reset(channel, 'recovered')
    }
  }

  #endAfter(ms: number): void {
    // guard(expiry): what the caller was let in with is worth nothing any more, guarantee 11
    this.#cancelExpiry = this.#host.clock.after(Math.min(ms, MAX_TIMER_MS), () => this.bye('reauthorize', 0))
  }

  #leave(): void {
    if (this.#phase === 'left') return
    this.#cancelExpiry?.()
    const joined = this.#phase !== 'reserved'
    this.#phase = 'left'
    // guard(leave-channels): otherwise its tags stay in every index that it was in, guarantee 13
    if (joined) for (const channel of this.channels) channel.leave(this)
    for (const channel of this.channels) this.#backlog.forget(channel)
    this.#host.left(this)
  }

  /** A sink that fails is a client that left; it must not fail whoever invalidates. */
  #guarded(write: () => void): void {
    try {
      write()
    } catch (error) {
      this.#host.report(error, 'stream')
      this.destroy()
    }
  }
}
