import type { PlainTag } from '../tags/tag.ts'
import { toTagKey } from '../tags/tag-key.ts'
import type { ReadPosition } from './client.ts'
import { olderRead, type ClientCursor } from './client-cursor.ts'

/** What the server takes in one list and in one request. Over it, everything is watched. */
const MAX_TAGS = 2_000
const MAX_BYTES = 48 * 1024

/** A watched tag whose past is to be answered. */
export interface Ask {
  readonly tag: PlainTag
  readonly from: ReadPosition
}

/** What a client wants of one tag, and what the server knows of it. */
interface Entry {
  readonly tag: PlainTag
  readonly bytes: number
  isWanted: boolean
  isAcknowledged: boolean
  /** The oldest position that it was asked from since. */
  asked?: ReadPosition | undefined
  /** The same, on its way to the server. */
  sent?: ReadPosition | undefined
}

/**
 * The tags that a client wants. Each is acknowledged, or has an unanswered ask with the oldest position it was asked from, or both. Tags are
 * told apart by their canonical form.
 */
export class WatchList {
  readonly #memory: { readonly cursor: ClientCursor }
  readonly #entries = new Map<string, Entry>()
  #isAll = false

  /** @param memory Where the client's cursor is found, whenever two positions are compared. */
  constructor(memory: { readonly cursor: ClientCursor }) {
    this.#memory = memory
  }

  /** The stream is one of everything: a tag is only asked for, and never removed. */
  get isAll(): boolean {
    return this.#isAll
  }

  /** More than the server takes in a list, on a stream of a list. */
  get isTooLong(): boolean {
    let bytes = 0
    for (const entry of this.#entries.values()) bytes += entry.bytes
    return !this.#isAll && (this.#entries.size > MAX_TAGS || bytes > MAX_BYTES)
  }

  watch(tag: PlainTag, from: ReadPosition): void {
    const key = toTagKey(tag)
    let entry = this.#entries.get(key)
    if (!entry) {
      entry = { tag, bytes: new TextEncoder().encode(key).length, isWanted: true, isAcknowledged: false }
      this.#entries.set(key, entry)
    }
    entry.isWanted = true
    // Also when a remove is due: what came since was applied to nobody.
    this.#ask(entry, from)
  }

  unwatch(tag: PlainTag): void {
    const key = toTagKey(tag)
    const entry = this.#entries.get(key)
    if (!entry) return
    entry.isWanted = false
    entry.asked = undefined
    if (!entry.isAcknowledged && !entry.sent) this.#entries.delete(key)
  }

  isWatched(tag: PlainTag): boolean {
    const entry = this.#entries.get(toTagKey(tag))
    return !!entry?.isAcknowledged && entry.isWanted && !entry.asked && !entry.sent
  }

  /** The list for a new stream. Every ask goes with it, to be answered by the stream's hello. */
  open(watchAll: boolean): readonly PlainTag[] | '*' {
    for (const [key, entry] of this.#entries) {
      if (entry.isWanted) send(entry)
      else this.#entries.delete(key)
    }
    this.#isAll = false
    this.#isAll = watchAll || this.isTooLong
    return this.#isAll ? '*' : Array.from(this.#entries.values(), (entry) => entry.tag)
  }

  /** What the next request carries: as much as fits. */
  take(): { readonly add: readonly PlainTag[]; readonly remove: readonly PlainTag[] } {
    const [add, remove]: [PlainTag[], PlainTag[]] = [[], []]
    let bytes = 0
    for (const [key, entry] of this.#entries) {
      if (entry.isWanted && !entry.asked) continue
      bytes += entry.bytes
      if (add.length + remove.length === MAX_TAGS || bytes > MAX_BYTES) break
      if (entry.isWanted) add.push(send(entry))
      else if (this.#entries.delete(key) && !this.#isAll) remove.push(entry.tag)
    }
    return { add, remove }
  }

  /** What is on its way, and not answered. */
  sent(): Ask[] {
    return [...this.#entries.values()].flatMap(({ tag, sent }) => (sent ? { tag, from: sent } : []))
  }

  /** What was sent is answered. When `apply` throws, it is not. */
  settle(apply: (asks: readonly Ask[]) => void): void {
    const asks = this.sent()
    for (const entry of this.#entries.values()) {
      if (entry.sent) entry.isAcknowledged = true
      entry.sent = undefined
    }
    try {
      apply(asks)
    } catch (error) {
      // guard(failed-answer): an effect that threw did not happen, and what these tags had missed has to be told again, guarantee 5
      for (const { tag, from } of asks) this.watch(tag, from)
      throw error
    }
  }

  /** What was sent will not be answered: it is to be asked again. */
  lose(): void {
    for (const entry of this.#entries.values()) {
      // guard(unanswered-ask): the answer that got lost said what the tag had missed, and the cursor may have passed it since, guarantee 1
      if (entry.sent && entry.isWanted) this.#ask(entry, entry.sent)
      entry.sent = undefined
    }
  }

  #ask(entry: Entry, from: ReadPosition): void {
    entry.asked = entry.asked ? olderRead(entry.asked, from, this.#memory.cursor) : from
  }
}

function send(entry: Entry): PlainTag {
  entry.sent = entry.asked
  entry.asked = undefined
  return entry.tag
}
