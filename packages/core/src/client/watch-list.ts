import type { PlainTag } from '../tags/tag.ts'
import { toTagKey } from '../tags/tag-key.ts'
import type { ReadPosition } from './client.ts'
import { olderRead, type ClientCursor } from './client-cursor.ts'

/** A watched tag whose past is to be answered. */
export interface Ask {
  readonly tag: PlainTag
  readonly from: ReadPosition
}

/** What one request carries. It stays the same however often the request is retried. */
export interface Batch {
  readonly asks: ReadonlyMap<string, Ask>
  readonly removes: ReadonlyMap<string, PlainTag>
}

/** What the server takes in one list, and in one request: over it, everything is watched. */
const MAX_TAGS = 2_000
const MAX_BYTES = 48 * 1024

const NOTHING = new Map<string, never>()

/**
 * The tags that a client wants, and what the server knows of them. Each wanted tag is acknowledged, or has an unanswered ask with the oldest
 * position it was asked from, or both. Tags are told apart by their canonical form.
 */
export class WatchList {
  readonly #wanted = new Map<string, PlainTag>()
  #bytes = 0
  readonly #acknowledged = new Set<string>()
  #asks = new Map<string, Ask>()
  readonly #removes = new Map<string, PlainTag>()
  #sent: Batch | undefined
  #isAll = false

  /** Whether the stream is one of everything; a tag is then only asked for. */
  get isAll(): boolean {
    return this.#isAll
  }

  /** More than the server takes in a list, and not on a stream of everything yet. */
  get isTooLong(): boolean {
    return !this.#isAll && (this.#wanted.size > MAX_TAGS || this.#bytes > MAX_BYTES)
  }

  /** Whether there is something to ask or to remove. */
  get isDue(): boolean {
    return !this.#sent && (this.#asks.size > 0 || this.#removes.size > 0)
  }

  watch(tag: PlainTag, from: ReadPosition, at: ClientCursor): void {
    const key = toTagKey(tag)
    if (!this.#wanted.has(key)) this.#bytes += byteLength(key)
    this.#wanted.set(key, tag)
    // A pending remove is taken back. The tag is asked for all the same: what came meanwhile was applied without it.
    this.#removes.delete(key)
    this.#ask(key, { tag, from: from.first || from.cursor ? from : { first: false, cursor: {} } }, at)
  }

  unwatch(tag: PlainTag): void {
    const key = toTagKey(tag)
    if (!this.#wanted.delete(key)) return
    this.#bytes -= byteLength(key)
    this.#asks.delete(key)
    const isKnown = this.#acknowledged.has(key) || this.#sent?.asks.has(key)
    if (isKnown && !this.#isAll) this.#removes.set(key, tag)
    // guard(removed-tag): whoever watches it again starts anew; what came meanwhile was applied to nobody, guarantee 1
    this.#acknowledged.delete(key)
  }

  isWatched(tag: PlainTag): boolean {
    const key = toTagKey(tag)
    return this.#acknowledged.has(key) && !this.#asks.has(key) && !this.#sent?.asks.has(key)
  }

  /** The list for a new stream. Every unanswered ask goes with it, and is answered by the stream's hello. */
  open(watchAll: boolean): { readonly watch: readonly PlainTag[] | '*'; readonly asks: readonly Ask[] } {
    this.#isAll = false
    this.#isAll = watchAll || this.isTooLong
    this.#removes.clear()
    this.#sent = { asks: this.#asks, removes: NOTHING }
    this.#asks = new Map()
    return { watch: this.#isAll ? '*' : [...this.#wanted.values()], asks: [...this.#sent.asks.values()] }
  }

  /** What the next watch request carries, as much as fits in one. */
  take(): Batch {
    let [count, bytes] = [0, 0]
    const fits = (key: string): boolean => ++count <= MAX_TAGS && (bytes += byteLength(key)) <= MAX_BYTES
    const asks = move(this.#asks, fits)
    const removes = move(this.#removes, fits)
    this.#sent = { asks, removes }
    return this.#sent
  }

  /** What was sent last was answered. Returns its asks. */
  acknowledge(): readonly Ask[] {
    const asks = this.#sent?.asks ?? NOTHING
    this.#sent = undefined
    for (const key of asks.keys()) if (this.#wanted.has(key)) this.#acknowledged.add(key)
    return [...asks.values()]
  }

  /** What was sent last will not be answered: it is to be asked again. */
  lose(at: ClientCursor): void {
    const sent = this.#sent
    this.#sent = undefined
    if (sent) this.askAgain(sent.asks.values(), at)
  }

  askAgain(asks: Iterable<Ask>, at: ClientCursor): void {
    for (const ask of asks) {
      const key = toTagKey(ask.tag)
      // guard(unanswered-ask): the answer that got lost said what the tag had missed; the cursor may have passed it since, guarantee 1
      if (this.#wanted.has(key)) this.#ask(key, ask, at)
    }
  }

  #ask(key: string, ask: Ask, at: ClientCursor): void {
    const earlier = this.#asks.get(key)
    this.#asks.set(key, earlier ? { ...ask, from: olderRead(earlier.from, ask.from, at) } : ask)
  }
}

/** Moves entries out of a map for as long as they fit. */
function move<T>(from: Map<string, T>, fits: (key: string) => boolean): Map<string, T> {
  const moved = new Map<string, T>()
  for (const [key, value] of from) {
    if (!fits(key)) break
    moved.set(key, value)
    from.delete(key)
  }
  return moved
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}
