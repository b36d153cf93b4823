import { encodeInvalidate, formatPosition, toTagKey, type PlainTag, type Position } from '@query-tags/core'
import type { Audience } from './audience.ts'
import type { Member, Watcher } from './watcher.ts'

const encoder = new TextEncoder()

export function toBytes(frame: string): Uint8Array {
  return encoder.encode(frame)
}

/**
 * One invalidation on its way to connections. What several of them need is made once, and only when one does. Without a position when the
 * registry could not take it.
 */
export class Invalidation<At extends Position | undefined = Position> {
  readonly scope: string
  readonly at: At
  readonly tags: readonly PlainTag[]
  readonly #audience: Audience
  #keys: readonly string[] | undefined
  #bytes: Uint8Array | undefined
  #watchers: readonly ReadonlySet<Watcher>[] | undefined

  constructor(scope: string, at: At, tags: readonly PlainTag[], audience: Audience) {
    this.scope = scope
    this.at = at
    this.tags = tags
    this.#audience = audience
  }

  /** The live frame: all tags, the same bytes for everyone. */
  get frame(): Uint8Array {
    const at = this.at && formatPosition(this.at)
    return (this.#bytes ??= toBytes(encodeInvalidate(this.scope, at, this.#allKeys())))
  }

  /** The tags, in canonical form, that a connection watches. */
  keysFor(member: Member): readonly string[] {
    const keys = this.#allKeys()
    const watchers = [...member.watchers.values()]
    if (watchers.some((watcher) => watcher.everything)) return keys
    this.#watchers ??= this.tags.map((tag) => this.#audience.watchersOf(tag))
    const watching = this.#watchers
    return keys.filter((_, i) => watchers.some((watcher) => watching[i]!.has(watcher)))
  }

  #allKeys(): readonly string[] {
    return (this.#keys ??= this.tags.map(toTagKey))
  }
}
