import { QueryTagsError, toTagKey, type PlainTag, type Position } from '@query-tags/core'
import { systemClock, type Clock } from '../clock.ts'
import { Listeners } from './listeners.ts'
import type { ScopeLog } from './scope-log.ts'
import { ScopeLogs, type RegistryLimits } from './scope-logs.ts'
import type { Missed, Recorded, TagRegistry } from './tag-registry.ts'

export interface MemoryRegistryOptions extends RegistryLimits {
  /** For tests and simulation. */
  readonly clock?: Clock
}

/**
 * A registry in the memory of this process. A restart is a new epoch: every client that comes back is reset once.
 *
 * `createTagInvalidationSystem` makes one by itself when there is no `store`; make your own to share it between systems.
 */
export function createMemoryRegistry(options: MemoryRegistryOptions = {}): TagRegistry {
  return new MemoryRegistry(options)
}

class MemoryRegistry implements TagRegistry {
  readonly #listeners = new Listeners()
  readonly #logs: ScopeLogs
  #closed = false

  constructor(options: MemoryRegistryOptions) {
    this.#logs = new ScopeLogs(options, options.clock ?? systemClock, this.#listeners)
  }

  get floorRaisedCount(): number {
    return this.#logs.floorRaisedCount
  }

  async record(scope: string, tags: readonly PlainTag[]): Promise<Position> {
    const keys = tags.map(toTagKey)
    const prev = this.#log(scope).head.seq
    const position = this.#logs.record(scope, keys, this.#logs.clockSeq())
    this.#listeners.tell(scope, { ...position, prev, tags })
    return position
  }

  async since(scope: string, after: Position | { readonly ageMs: number }): Promise<Missed | 'expired'> {
    return this.#logs.since(this.#log(scope), after)
  }

  async head(scope: string): Promise<Position> {
    return this.#log(scope).head
  }

  async subscribe(scope: string, listener: (recorded: Recorded) => void): Promise<() => void> {
    this.#log(scope)
    return this.#listeners.add(scope, listener)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#logs.clear()
    this.#listeners.clear()
  }

  #log(scope: string): ScopeLog {
    if (this.#closed) throw new QueryTagsError('closed', 'The registry is closed')
    return this.#logs.find(scope) ?? this.#logs.create(scope, this.#logs.newEpoch(), this.#logs.bornAt)
  }
}
