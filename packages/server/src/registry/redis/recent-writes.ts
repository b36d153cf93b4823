import { toTagKey, type PlainTag } from '@query-tags/core'
import type { Clock } from '../../clock.ts'
import { historyOf } from './script.ts'

/** Longer than a server that was cut off is taken for the master by anybody. */
const KEEP_MS = 300_000
const MAX_TAGS = 10_000
const MAX_SCOPES = 50_000
/** A scope is looked at this often while something of it is kept. */
export const VERIFY_MS = 8000

interface Written {
  /** Where it went. */
  history: string
  /** Canonical tags by when they were last recorded, the oldest first. */
  readonly tags: Map<string, number>
  /** There were too many to keep. Instead of recording them again, the scope has to begin anew. */
  isOverflowed: boolean
  lastAt: number
  seenAt: number
}

/** What has to be done in a scope that has another history now. */
export type Repair = { readonly kind: 'record'; readonly tags: readonly PlainTag[] } | { readonly kind: 'renew' }

/**
 * What this process recorded in the last minutes. A server that was cut off acknowledges what is lost once its replica has taken over, and clients
 * that moved to the replica before were reset too early to know. So it is recorded again where the scope has another history.
 */
export class RecentWrites {
  readonly #clock: Clock
  /** The longest unused first. */
  readonly #scopes = new Map<string, Written>()
  /** Those of which the tags are kept, in the same order. */
  readonly #withTags = new Set<string>()
  #tagCount = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isEmpty(): boolean {
    return this.#scopes.size === 0
  }

  /** Recorded, after what the answer says was {@link see seen}. */
  add(scope: string, epoch: string, tags: readonly PlainTag[]): void {
    const now = this.#clock.now()
    const written = this.#take(scope, epoch)
    written.lastAt = now
    written.seenAt = now
    if (!written.isOverflowed) {
      const before = written.tags.size
      for (const key of tags.map(toTagKey)) {
        written.tags.delete(key)
        written.tags.set(key, now)
      }
      this.#tagCount += written.tags.size - before
      this.#withTags.delete(scope)
      this.#withTags.add(scope)
    }
    while (this.#tagCount > MAX_TAGS) this.#overflow()
    if (this.#scopes.size > MAX_SCOPES) this.#forget(this.#scopes.keys().next().value!)
  }

  /** A scope was seen in an epoch. What has to be done if its history is not the one that was written to. */
  see(scope: string, epoch: string): Repair | undefined {
    const written = this.#scopes.get(scope)
    if (!written) return undefined
    written.seenAt = this.#clock.now()
    if (written.history === historyOf(epoch)) return undefined
    written.history = historyOf(epoch)
    if (written.isOverflowed) return { kind: 'renew' }
    return { kind: 'record', tags: [...written.tags.keys()].map((key) => JSON.parse(key) as PlainTag) }
  }

  /** A repair failed. The next look at the scope asks for it again. */
  undo(scope: string): void {
    const written = this.#scopes.get(scope)
    if (written) written.history = ''
  }

  /** The scopes to look at: all, or those that nobody has looked at lately. */
  due(all: boolean): string[] {
    const now = this.#clock.now()
    for (const [scope, written] of this.#scopes) {
      for (const [key, at] of written.tags) {
        if (now - at < KEEP_MS) break
        written.tags.delete(key)
        this.#tagCount--
      }
      if (now - written.lastAt >= KEEP_MS) this.#forget(scope)
    }
    return [...this.#scopes].filter(([, { seenAt }]) => all || now - seenAt >= VERIFY_MS / 2).map(([scope]) => scope)
  }

  #take(scope: string, epoch: string): Written {
    const written = this.#scopes.get(scope) ?? {
      history: historyOf(epoch),
      tags: new Map<string, number>(),
      isOverflowed: false,
      lastAt: 0,
      seenAt: 0,
    }
    this.#scopes.delete(scope)
    this.#scopes.set(scope, written)
    return written
  }

  /** The scope that was not used for longest gives its tags up. */
  #overflow(): void {
    const scope = this.#withTags.values().next().value!
    const written = this.#scopes.get(scope)!
    this.#withTags.delete(scope)
    this.#tagCount -= written.tags.size
    written.tags.clear()
    written.isOverflowed = true
  }

  #forget(scope: string): void {
    this.#tagCount -= this.#scopes.get(scope)?.tags.size ?? 0
    this.#scopes.delete(scope)
    this.#withTags.delete(scope)
  }
}
