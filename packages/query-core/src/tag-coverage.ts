import { toTagKey, type PlainTag } from '@query-tags/core'
import type { Attachment, ReadPosition } from '@query-tags/core/client'
import type { KeptSnapshot } from './kept-snapshot.ts'
import { UNSEEN, type ReadMoment, type TaggedQuery, type WatchedTag } from './tagged-query.ts'

/**
 * Sees to it that every invalidation since a datum was read is known here. A tag is covered from a clock on when the server watches it for
 * us since then; data that were read earlier are asked for, with their read position, and the server answers what they missed. Late mounts,
 * tags that depend on data, hydration and restored caches are all this one case; an ordinary refetch asks nothing.
 */
export class TagCoverage {
  readonly #attachment: Attachment
  readonly #asking = new Map<WatchedTag, { readonly entry: TaggedQuery; readonly read: ReadMoment }>()
  readonly #kept: KeptSnapshot
  readonly #onChange: () => void
  #connected = false

  /** @param onChange Told when data landed, and when it is known what others missed. */
  constructor(attachment: Attachment, kept: KeptSnapshot, onChange: () => void) {
    this.#attachment = attachment
    this.#kept = kept
    this.#onChange = onChange
  }

  /** A query has a new tag. Before the first hello it can go with the opening of the stream, which costs no request. */
  gain(entry: TaggedQuery, watched: WatchedTag): void {
    if (!this.#connected) this.#ask(entry, [watched], UNSEEN)
    else if (entry.datum) this.#ask(entry, [watched], entry.datum.read)
  }

  /** A fetch is about to begin: tags that are watched by now are covered from here on. */
  beforeFetch(entry: TaggedQuery, clock: number): void {
    for (const watched of entry.tags.values()) {
      if (watched.coveredSince === Infinity && this.#attachment.isWatched(watched.tag)) watched.coveredSince = clock
    }
  }

  /** Data landed that were read at `read`. */
  landed(entry: TaggedQuery, read: ReadMoment): void {
    this.#ask(entry, entry.tags.values(), read)
    this.#onChange()
  }

  /** The queries that asked about one of these tags. */
  askers(tags: readonly PlainTag[]): TaggedQuery[] {
    const answered = new Set(tags.map(toTagKey))
    return [...this.#asking].flatMap(([{ tag }, { entry }]) => (answered.has(toTagKey(tag)) ? entry : []))
  }

  /** Where data were read of which it is not known yet what they missed. */
  asked(): ReadPosition[] {
    return Array.from(this.#asking.values(), ({ read }) => read.position)
  }

  /** The server answered, or said hello: what was asked is covered now, unless more was asked since. */
  settle(): void {
    this.#connected = true
    for (const watched of this.#asking.keys()) {
      if (!this.#attachment.isWatched(watched.tag)) continue
      watched.coveredSince = watched.askedSince
      watched.askedSince = Infinity
      this.#asking.delete(watched)
    }
    this.#onChange()
  }

  forget(watched: WatchedTag): void {
    this.#asking.delete(watched)
  }

  #ask(entry: TaggedQuery, tags: Iterable<WatchedTag>, read: ReadMoment): void {
    const { clock, position } = read
    let isAsked = false
    for (const watched of tags) {
      if (watched.coveredSince <= clock || watched.askedSince <= clock) continue
      watched.askedSince = clock
      this.#asking.set(watched, { entry, read })
      // guard(late-watch): data that were read before their tag was watched may have missed invalidations, guarantee 1
      this.#attachment.watch(watched.tag, position)
      isAsked = true
    }
    // Last, since it is an event of the cache, of which a listener may throw.
    if (isAsked) this.#kept.lower(position)
  }
}
