import { QueryTagsError, toTagKey, type PlainTag, type Position } from '@query-tags/core'
import { randomId, systemClock, type Clock } from '../clock.ts'
import { LOG_OVERHEAD_BYTES, ScopeLog } from './scope-log.ts'
import type { Missed, Recorded, TagRegistry } from './tag-registry.ts'

export interface MemoryRegistryOptions {
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
  /** For tests and simulation. */
  readonly clock?: Clock
}

/** When the cap is reached this much is freed at once, so that not every invalidation has to look for something to forget. */
const EVICT_TO = 0.9

/**
 * A registry in the memory of this process. A restart is a new epoch: every client that comes back is reset once.
 *
 * `createTagInvalidationSystem` makes one by itself when there is no `store`; make your own to share it between systems.
 */
export function createMemoryRegistry(options: MemoryRegistryOptions = {}): TagRegistry {
  return new MemoryRegistry(options)
}

class MemoryRegistry implements TagRegistry {
  readonly #clock: Clock
  readonly #limits: { readonly maxTags: number; readonly maxBytes: number }
  readonly #maxBytes: number
  /** By last use, the longest unused first. */
  readonly #logs = new Map<string, ScopeLog>()
  readonly #listeners = new Map<string, Set<(recorded: Recorded) => void>>()
  readonly #startedAt: { readonly wall: number; readonly now: number }
  /** The `seq` that a scope without a log begins at: nothing was recorded in it, and nothing forgotten of it, since then. */
  #bornAt: number
  #bytes = 0
  #floorRaisedCount = 0
  #closed = false

  constructor(options: MemoryRegistryOptions) {
    this.#clock = options.clock ?? systemClock
    this.#limits = { maxTags: options.maxTagsPerScope ?? 100_000, maxBytes: options.maxBytesPerScope ?? 16 * 2 ** 20 }
    this.#maxBytes = options.maxBytes ?? 256 * 2 ** 20
    this.#startedAt = { wall: this.#clock.wallNow(), now: this.#clock.now() }
    this.#bornAt = this.#clockSeq()
  }

  get floorRaisedCount(): number {
    return this.#floorRaisedCount
  }

  async record(scope: string, tags: readonly PlainTag[]): Promise<Position> {
    const log = this.#log(scope)
    const keys = tags.map(toTagKey)
    const prev = log.head.seq
    const { bytes, floor } = log
    const position = log.record(keys, this.#clockSeq())
    this.#bytes += log.bytes - bytes
    if (log.floor > floor) this.#floorRaisedCount++
    if (this.#bytes > this.#maxBytes) this.#evict(scope)
    for (const listener of this.#listeners.get(scope) ?? []) listener({ ...position, prev, tags })
    return position
  }

  async since(scope: string, after: Position | { readonly ageMs: number }): Promise<Missed | 'expired'> {
    const log = this.#log(scope)
    // guard(epoch): positions of two epochs have no order, so comparing them could pass for being up to date, guarantee 3
    if ('epoch' in after && after.epoch !== log.epoch) return 'expired'
    const seq = 'epoch' in after ? after.seq : Math.min(this.#clockSeq() - Math.ceil(after.ageMs * 1000), log.head.seq)
    const entries = log.since(seq)
    return entries === 'expired' ? 'expired' : { from: { epoch: log.epoch, seq }, entries, head: log.head }
  }

  async head(scope: string): Promise<Position> {
    return this.#log(scope).head
  }

  async subscribe(scope: string, listener: (recorded: Recorded) => void): Promise<() => void> {
    this.#log(scope)
    // A wrapper, so that one function subscribed twice is two subscriptions.
    const entry = (recorded: Recorded): void => {
      listener(recorded)
    }
    const listeners = this.#listeners.get(scope) ?? new Set()
    this.#listeners.set(scope, listeners.add(entry))
    return () => {
      listeners.delete(entry)
      if (listeners.size === 0 && this.#listeners.get(scope) === listeners) this.#listeners.delete(scope)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#logs.clear()
    this.#listeners.clear()
  }

  #log(scope: string): ScopeLog {
    if (this.#closed) throw new QueryTagsError('closed', 'The registry is closed')
    const log = this.#logs.get(scope) ?? this.#create()
    // Re-inserted, so that the map is in order of last use.
    this.#logs.delete(scope)
    this.#logs.set(scope, log)
    if (this.#bytes > this.#maxBytes) this.#evict(scope)
    return log
  }

  #create(): ScopeLog {
    this.#bytes += LOG_OVERHEAD_BYTES
    return new ScopeLog(randomId(this.#clock, 64), this.#bornAt, this.#limits)
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

  /**
   * Microseconds since 1970 when the registry started, and from there by the monotonic clock: a wall clock that is set forward would make
   * an age reach less far back than it was.
   */
  #clockSeq(): number {
    return Math.floor((this.#startedAt.wall + this.#clock.now() - this.#startedAt.now) * 1000)
  }
}
