import { TagIndex, toPlainTag, toTagKey, type PlainTag, type TagInput } from '@query-tags/core'
import type { Attachment } from '@query-tags/core/client'
import type { Query } from '@tanstack/query-core'
import type { KeptSnapshot } from './kept-snapshot.ts'
import type { TagCoverage } from './tag-coverage.ts'
import { createTaggedQuery, type TaggedQuery, type WatchedTag } from './tagged-query.ts'

/** Tags that a query may have lost before it is looked at which. */
const MAX_LOST_TAGS = 100

/** A callback that is owed every invalidation of some tags, whether a query has them or not. */
export interface TagListener {
  readonly tags: readonly PlainTag[]
  readonly callback: (tags: readonly PlainTag[] | '*') => void
}

export interface TagMatches {
  readonly queries: TaggedQuery[]
  readonly listeners: TagListener[]
}

/**
 * Which queries have which tags. It may know too many, never too few: a query's tags are read on every event of it, from the query and from
 * each of its observers, since the last writer of `meta` wins and can be one without tags. What was lost is noticed when it is matched.
 */
export class TagQueryIndex {
  readonly #entries = new Map<Query, TaggedQuery>()
  readonly #index = new TagIndex<TaggedQuery | TagListener>()
  readonly #reported = new WeakSet<Query>()
  readonly #attachment: Attachment
  readonly #coverage: TagCoverage
  readonly #kept: KeptSnapshot
  readonly #onInvalidTags: (error: unknown) => void

  constructor(
    attachment: Attachment,
    coverage: TagCoverage,
    kept: KeptSnapshot,
    onInvalidTags: (error: unknown) => void,
  ) {
    this.#attachment = attachment
    this.#coverage = coverage
    this.#kept = kept
    this.#onInvalidTags = onInvalidTags
  }

  get(query: Query): TaggedQuery | undefined {
    return this.#entries.get(query)
  }

  entries(): Iterable<TaggedQuery> {
    return this.#entries.values()
  }

  /** Reads a query's tags again; it gets an entry when it has any. */
  read(query: Query): TaggedQuery | undefined {
    let entry = this.#entries.get(query)
    let count = 0
    for (const tags of tagLists(query)) {
      count += tags.length
      if (entry?.seen.has(tags)) continue
      const plain = this.#toPlainTags(query, tags)
      if (!plain || plain.length === 0) continue
      if (!entry) this.#entries.set(query, (entry = createTaggedQuery(query)))
      for (const tag of plain) this.#gain(entry, tag)
      entry.seen.add(tags)
    }
    // Those of a feed change with everything that it brings.
    if (entry && entry.tags.size > count + MAX_LOST_TAGS) this.#forgetLost(entry, this.#currentTags(query))
    return entry
  }

  remove(query: Query): void {
    const entry = this.#entries.get(query)
    if (!entry) return
    this.#entries.delete(query)
    for (const watched of entry.tags.values()) this.#lose(entry, watched)
    // Whoever still has the entry must not ask for tags that nobody takes back.
    entry.tags.clear()
  }

  listen(listener: TagListener): void {
    for (const tag of listener.tags) this.#index.add(tag, listener)
  }

  unlisten(listener: TagListener): void {
    for (const tag of listener.tags) this.#release(tag, listener)
  }

  /** Who has a tag that overlaps one of these, in the size of the answer. */
  match(tags: readonly PlainTag[]): TagMatches {
    const queries: TaggedQuery[] = []
    const listeners: TagListener[] = []
    // Indexed once: a long frame that hits many queries would be compared tag by tag for each of them.
    const wanted = new TagIndex<true>()
    for (const tag of tags) wanted.add(tag, true)
    for (const owner of this.#index.match(tags)) {
      if ('callback' in owner) listeners.push(owner)
      else if (this.#stillHas(owner, wanted)) queries.push(owner)
    }
    return { queries, listeners }
  }

  /** Whether a match is true of the query as it is now. If not, the tags that it lost are forgotten; their return will be a gain. */
  #stillHas(entry: TaggedQuery, wanted: TagIndex<true>): boolean {
    const current = this.#currentTags(entry.query)
    if (wanted.match(current).size > 0) return true
    this.#forgetLost(entry, current)
    return false
  }

  #currentTags(query: Query): PlainTag[] {
    return tagLists(query).flatMap((list) => this.#toPlainTags(query, list) ?? [])
  }

  #forgetLost(entry: TaggedQuery, current: readonly PlainTag[]): void {
    const kept = new Set(current.map(toTagKey))
    this.#kept.exclude(entry.query)
    for (const [id, watched] of entry.tags) {
      if (kept.has(id)) continue
      entry.tags.delete(id)
      this.#lose(entry, watched)
    }
    entry.seen = new WeakSet()
  }

  #gain(entry: TaggedQuery, tag: PlainTag): void {
    const id = toTagKey(tag)
    if (entry.tags.has(id)) return
    const watched: WatchedTag = { tag, coveredSince: Infinity, askedSince: Infinity }
    entry.tags.set(id, watched)
    this.#index.add(tag, entry)
    this.#coverage.gain(entry, watched)
  }

  #lose(entry: TaggedQuery, watched: WatchedTag): void {
    this.#release(watched.tag, entry)
    this.#coverage.forget(watched)
  }

  #release(tag: PlainTag, owner: TaggedQuery | TagListener): void {
    if (this.#index.delete(tag, owner)) this.#attachment.unwatch(tag)
  }

  #toPlainTags(query: Query, tags: readonly TagInput[]): PlainTag[] | undefined {
    try {
      return tags.map(toPlainTag)
    } catch (error) {
      // Thrown here it would break TanStack's own notification. The query keeps working, without these tags, and is reported once.
      if (!this.#reported.has(query)) this.#onInvalidTags(error)
      this.#reported.add(query)
      return undefined
    }
  }
}

/** Every array of tags that a query has now: its own, and its observers'. */
function tagLists(query: Query): readonly (readonly TagInput[])[] {
  const lists: (readonly TagInput[])[] = []
  for (const holder of [query.options, ...query.observers.map((observer) => observer.options)]) {
    const tags = holder.meta?.['tags']
    if (Array.isArray(tags) && !lists.includes(tags)) lists.push(tags)
  }
  return lists
}
