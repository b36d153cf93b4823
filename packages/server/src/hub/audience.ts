import { TagIndex, type PlainTag } from '@query-tags/core'
import type { Member, Watcher } from './watcher.ts'

/** Who watches what in one scope. */
export class Audience {
  readonly #index = new TagIndex<Watcher>()
  readonly #everything = new Set<Watcher>()

  /** Distinct tags that are watched. */
  get tagCount(): number {
    return this.#index.size
  }

  add(watcher: Watcher): void {
    if (watcher.everything) this.#everything.add(watcher)
    for (const tag of watcher.tags.values()) this.#index.add(tag, watcher)
  }

  delete(watcher: Watcher): void {
    this.#everything.delete(watcher)
    for (const tag of watcher.tags.values()) this.#index.delete(tag, watcher)
  }

  addTag(tag: PlainTag, watcher: Watcher): void {
    this.#index.add(tag, watcher)
  }

  deleteTag(tag: PlainTag, watcher: Watcher): void {
    this.#index.delete(tag, watcher)
  }

  /** The watchers of one tag, those of everything left out. */
  watchersOf(tag: PlainTag): ReadonlySet<Watcher> {
    return this.#index.match([tag])
  }

  /** Whoever has to hear of any of these tags, each once. */
  membersWatching(tags: readonly PlainTag[]): Set<Member> {
    const members = new Set<Member>()
    for (const watcher of this.#everything) members.add(watcher.owner)
    for (const watcher of this.#index.match(tags)) members.add(watcher.owner)
    return members
  }
}
