import { toTagKey, type PlainTag, type Position, type ResetReason } from '@query-tags/core'
import type { Channel } from './channel.ts'
import type { Invalidation } from './invalidation.ts'

/** A connection, as channels see it. Neither call throws. */
export interface Member {
  readonly watchers: ReadonlyMap<string, Watcher>
  deliver(channel: Channel, invalidation: Invalidation<Position | undefined>): void
  reset(channel: Channel, reason: ResetReason): void
}

/** One watch list on a connection. A connection has one per browser tab that shares it. */
export class Watcher {
  readonly owner: Member
  /** Whether it is about every tag; then `tags` is empty. */
  readonly everything: boolean
  readonly tags: Map<string, PlainTag> = new Map()
  /** The greatest request number that was applied. */
  lastN = 0
  #size = 0

  constructor(owner: Member, watch: readonly PlainTag[] | '*') {
    this.owner = owner
    this.everything = watch === '*'
    if (watch !== '*') for (const tag of watch) this.add(tag)
  }

  /** Characters of the tags in canonical form. */
  get size(): number {
    return this.#size
  }

  /** False when the tag is on the list already. */
  add(tag: PlainTag): boolean {
    const key = toTagKey(tag)
    if (this.tags.has(key)) return false
    this.tags.set(key, tag)
    this.#size += key.length
    return true
  }

  delete(tag: PlainTag): boolean {
    const key = toTagKey(tag)
    if (!this.tags.delete(key)) return false
    this.#size -= key.length
    return true
  }
}
