import type { Position } from '@query-tags/core'
import { randomId, type Clock } from '../clock.ts'
import type { Listeners } from './listeners.ts'
import { LOG_OVERHEAD_BYTES, ScopeLog } from './scope-log.ts'
import type { Missed } from './tag-registry.ts'

/** How much a registry that keeps its logs in memory may hold. */
export interface RegistryLimits {
  /**
   * How many distinct tags one scope remembers for clients that come back. A client whose position is older than the oldest kept tag gets
   * a reset.
   * @default 100_000
   */
  readonly maxTagsPerScope?: number
  /**
   * Bytes of memory, about, that one scope may take.
   * @default 16_777_216
   */
  readonly maxBytesPerScope?: number
  /**
   * Bytes of memory, about, for all scopes. Beyond them whole scopes that nobody is connected in are forgotten, the longest unused first;
   * clients that come back there get a reset.
   * @default 268_435_456
   */
  readonly maxBytes?: number
}

/** When the cap is reached this much is freed at once, so that not every invalidation has to look for something to forget. */
const EVICT_TO = 0.9

/** The logs of all scopes, in memory, and the clock that their positions are made of. */
export class ScopeLogs {
  readonly #clock: Clock
  readonly #listeners: Listeners
  readonly #limits: { readonly maxTags: number; readonly maxBytes: number }
  readonly #maxBytes: number
  /** By last use, the longest unused first. */
  readonly #logs = new Map<string, ScopeLog>()
  readonly #openedAt: { readonly wall: number; readonly now: number; readonly seq: number }
  #bornAt: number
  #bytes = 0
  #floorRaisedCount = 0

  constructor(limits: RegistryLimits, clock: Clock, listeners: Listeners) {
    this.#clock = clock
    this.#listeners = listeners
    this.#limits = { maxTags: limits.maxTagsPerScope ?? 100_000, maxBytes: limits.maxBytesPerScope ?? 16 * 2 ** 20 }
    this.#maxBytes = limits.maxBytes ?? 256 * 2 ** 20
    const wall = clock.wallNow()
    this.#openedAt = { wall, now: clock.now(), seq: Math.floor(wall * 1000) }
    this.#bornAt = this.#openedAt.seq
  }

  get bytes(): number {
    return this.#bytes
  }

  get floorRaisedCount(): number {
    return this.#floorRaisedCount
  }

  get scopes(): string[] {
    return [...this.#logs.keys()]
  }

  /** The `seq` that a scope without a log begins at: nothing was recorded in it, and nothing forgotten of it, since then. */
  get bornAt(): number {
    return this.#bornAt
  }

  /**
   * Microseconds since 1970 when these logs were opened, and from there by the monotonic clock: a wall clock that is set forward would make
   * an age reach less far back than it was.
   */
  clockSeq(): number {
    return Math.floor((this.#openedAt.wall + this.#clock.now() - this.#openedAt.now) * 1000)
  }

  newEpoch(): string {
    return randomId(this.#clock, 64)
  }

  /** The log of a scope, which counts as a use of it. */
  find(scope: string): ScopeLog | undefined {
    const log = this.#logs.get(scope)
    if (!log) return undefined
    // Re-inserted, so that the map is in order of last use.
    this.#logs.delete(scope)
    this.#logs.set(scope, log)
    if (this.#bytes > this.#maxBytes) this.#evict(scope)
    return log
  }

  /** The log of a scope, without any effect. */
  peek(scope: string): ScopeLog | undefined {
    return this.#logs.get(scope)
  }

  /** Begins a scope, or begins it anew. */
  create(scope: string, epoch: string, bornAt: number): ScopeLog {
    this.#bytes += LOG_OVERHEAD_BYTES - (this.#logs.get(scope)?.bytes ?? 0)
    this.#logs.set(scope, new ScopeLog(epoch, bornAt, this.#limits))
    return this.find(scope)!
  }

  /** Forgets a scope. */
  drop(scope: string): void {
    this.#bytes -= this.#logs.get(scope)?.bytes ?? 0
    this.#logs.delete(scope)
  }

  /** Records in a scope that has a log. */
  record(scope: string, keys: readonly string[], seq: number): Position {
    const log = this.#logs.get(scope)!
    const { bytes, floor } = log
    const position = log.record(keys, seq)
    this.#bytes += log.bytes - bytes
    if (log.floor > floor) this.#floorRaisedCount++
    if (this.#bytes > this.#maxBytes) this.#evict(scope)
    return position
  }

  since(log: ScopeLog, after: Position | { readonly ageMs: number }): Missed | 'expired' {
    // guard(epoch): positions of two epochs have no order, so comparing them could pass for being up to date, guarantee 3
    if ('epoch' in after && after.epoch !== log.epoch) return 'expired'
    const reach = 'epoch' in after ? Infinity : this.clockSeq() - Math.ceil(after.ageMs * 1000)
    // guard(age-before-start): what another process recorded carries that one's clock, which can't be compared with ours, guarantee 3
    if (reach < this.#openedAt.seq) return 'expired'
    const seq = 'epoch' in after ? after.seq : Math.min(reach, log.head.seq)
    const entries = log.since(seq)
    return entries === 'expired' ? 'expired' : { from: { epoch: log.epoch, seq }, entries, head: log.head }
  }

  clear(): void {
    this.#logs.clear()
    this.#bytes = 0
  }

  /** Frees memory, the scope that is in use excepted: first whole scopes without listeners, then the tags of the others. */
  #evict(inUse: string): void {
    this.#floorRaisedCount++
    for (const [scope, log] of this.#logs) {
      if (this.#bytes <= this.#maxBytes * EVICT_TO) return
      if (scope === inUse || this.#listeners.has(scope)) continue
      this.#logs.delete(scope)
      this.#bytes -= log.bytes
      // guard(evicted-scope-is-young): its next log knows nothing from before, so an age that reaches back there has to expire, guarantee 3
      this.#bornAt = Math.max(this.#bornAt, log.head.seq)
    }
    for (const [scope, log] of this.#logs) {
      if (this.#bytes <= this.#maxBytes * EVICT_TO) return
      if (scope === inUse) continue
      const before = log.bytes
      log.clear()
      this.#bytes -= before - log.bytes
    }
  }
}
