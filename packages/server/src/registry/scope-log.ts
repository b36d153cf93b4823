import type { LogEntry } from './tag-registry.ts'
import type { PlainTag, Position } from '@query-tags/core'

/** What an entry costs besides its text: the node and its place in the map. */
const ENTRY_OVERHEAD_BYTES = 96
/** What a log costs when it is empty. */
export const LOG_OVERHEAD_BYTES = 512

interface Node {
  readonly key: string
  seq: number
  older: Node | undefined
  newer: Node | undefined
}

/** Tags, in canonical form, whose latest invalidation has this `seq`. */
export interface KeyEntry {
  readonly seq: number
  readonly keys: readonly string[]
}

export interface ScopeLogLimits {
  readonly maxTags: number
  readonly maxBytes: number
}

/**
 * The compacted log of one scope: a list from the oldest to the newest invalidated tag, and where each tag is in it. Recording is O(1) per
 * tag, reading since a position is O(answer). Tags are kept in canonical form only.
 */
export class ScopeLog {
  readonly epoch: string
  readonly #limits: ScopeLogLimits
  readonly #nodes = new Map<string, Node>()
  #oldest: Node | undefined
  #newest: Node | undefined
  #top: number
  /** The greatest `seq` of which something is not known: the start of the epoch, or the last tag that was trimmed. */
  #floor: number
  #bytes = LOG_OVERHEAD_BYTES

  /** @param bornAt the `seq` that the log begins at; nothing is known before. */
  constructor(epoch: string, bornAt: number, limits: ScopeLogLimits) {
    this.epoch = epoch
    this.#top = bornAt
    this.#floor = bornAt
    this.#limits = limits
  }

  get head(): Position {
    return { epoch: this.epoch, seq: this.#top }
  }

  get size(): number {
    return this.#nodes.size
  }

  get bytes(): number {
    return this.#bytes
  }

  get floor(): number {
    return this.#floor
  }

  /** Moves these tags to the end, all at one position. */
  record(keys: readonly string[], clockSeq: number): Position {
    // guard(seq-strictly-increases): two invalidations at one position could not be told apart by a client that saw the first, guarantee 4
    this.#top = Math.max(this.#top + 1, clockSeq)
    for (const key of keys) this.#append(this.#unlink(key) ?? this.#create(key))
    while (this.#nodes.size > this.#limits.maxTags || this.#bytes > this.#limits.maxBytes) this.#trimOldest()
    return this.head
  }

  /** The entries after a `seq`, ascending, or `'expired'`. */
  since(seq: number): readonly LogEntry[] | 'expired' {
    // guard(floor): below it tags were trimmed or never known, and a partial list would pass for a complete one, guarantee 3
    if (seq < this.#floor) return 'expired'
    // guard(ahead): a position that was not given out yet would hide the invalidations until it is, guarantee 3
    if (seq > this.#top) return 'expired'
    return this.#after(seq).map(({ seq: at, keys }) => ({
      seq: at,
      tags: keys.map((key) => JSON.parse(key) as PlainTag),
    }))
  }

  /** Everything that is known, ascending. */
  entries(): KeyEntry[] {
    return this.#after(this.#floor)
  }

  /** Forgets every tag; positions before now expire. */
  clear(): void {
    while (this.#oldest) this.#trimOldest()
  }

  #after(seq: number): KeyEntry[] {
    const entries: { seq: number; keys: string[] }[] = []
    for (let node = this.#newest; node && node.seq > seq; node = node.older) {
      const last = entries[entries.length - 1]
      if (last?.seq === node.seq) last.keys.push(node.key)
      else entries.push({ seq: node.seq, keys: [node.key] })
    }
    for (const { keys } of entries) keys.reverse()
    return entries.reverse()
  }

  #create(key: string): Node {
    this.#bytes += key.length + ENTRY_OVERHEAD_BYTES
    const node: Node = { key, seq: 0, older: undefined, newer: undefined }
    this.#nodes.set(key, node)
    return node
  }

  #append(node: Node): void {
    node.seq = this.#top
    node.older = this.#newest
    node.newer = undefined
    if (this.#newest) this.#newest.newer = node
    else this.#oldest = node
    this.#newest = node
  }

  #unlink(key: string): Node | undefined {
    const node = this.#nodes.get(key)
    if (!node) return undefined
    if (node.older) node.older.newer = node.newer
    else this.#oldest = node.newer
    if (node.newer) node.newer.older = node.older
    else this.#newest = node.older
    return node
  }

  #trimOldest(): void {
    const node = this.#oldest
    if (!node) return
    this.#unlink(node.key)
    this.#nodes.delete(node.key)
    this.#bytes -= node.key.length + ENTRY_OVERHEAD_BYTES
    // guard(trim-raises-floor): a position before the trimmed tag has to expire from now on, guarantee 3
    this.#floor = Math.max(this.#floor, node.seq)
  }
}
