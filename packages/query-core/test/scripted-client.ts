import {
  olderCursor,
  tagsOverlap,
  toPlainTag,
  toTagKey,
  type Cursor,
  type PlainTag,
  type Receipt,
  type TagInput,
} from '@query-tags/core'
import type {
  Attachment,
  AttachOptions,
  Binding,
  ConnectionStatus,
  InvalidatorClient,
  ReadPosition,
} from '@query-tags/core/client'

const GLOBAL = '["global",null]'
/** The place of a position that says nothing of the scope: older than any. */
const UNKNOWN = -1

export interface LogRecord {
  readonly seq: number
  readonly tags: readonly PlainTag[]
}

/**
 * A server's log and a client's connection to it in one object, whose every step the test takes itself: what was recorded reaches the
 * binding when `deliver()` is called, and watch requests are answered by `answer()`. Like the real ones it delivers only what overlaps an
 * acknowledged tag, and its cursor passes over what does not.
 */
export class ScriptedClient implements InvalidatorClient {
  status: ConnectionStatus = { state: 'connecting' }
  behind = false
  /** Watch requests that were answered. */
  requests = 0
  readonly watched = new Map<string, PlainTag>()
  readonly #asked = new Map<string, { tag: PlainTag; from: ReadPosition }>()
  readonly #log: LogRecord[]
  /** Where the age that is sent with the first request reaches back to. */
  readonly #loadedAt: number
  #binding: Binding | undefined
  #cursor: number | undefined
  #first: number | undefined
  #page: number | undefined

  /** @param log of the server, shared with other pages; this one begins to load now. */
  constructor(log: LogRecord[] = []) {
    this.#log = log
    this.#loadedAt = log.length
  }

  /** Another page of the same server. */
  reload(): ScriptedClient {
    return new ScriptedClient(this.#log)
  }

  get #top(): number {
    return this.#log.length
  }

  /** Records an invalidation on the server, without telling the client yet. */
  record(...tags: readonly TagInput[]): Receipt {
    const seq = this.#top + 1
    const plain = tags.map(toPlainTag)
    this.#log.push({ seq, tags: plain })
    return { scope: GLOBAL, at: `e:${seq}`, tags: plain }
  }

  /** The stream opens: the whole list is acknowledged, and what it missed is replayed. */
  hello(): void {
    const asked = [...this.#asked.values()].map(({ tag, from }) => ({ tag, from: this.#seqOf(from) }))
    const froms = asked.filter(({ from }) => from !== UNKNOWN).map(({ from }) => from)
    this.#cursor = Math.min(this.#cursor ?? this.#first ?? this.#page ?? this.#loadedAt, ...froms)
    this.#first ??= this.#cursor
    for (const { tag } of asked) this.watched.set(toTagKey(tag), tag)
    this.#asked.clear()
    this.status = { state: 'live' }
    const expired = asked.filter(({ from }) => from === UNKNOWN).map(({ tag }) => tag)
    if (expired.length > 0) this.#binding?.onMissed(expired, 'expired')
    this.#binding?.onHello()
    this.deliver()
  }

  /** Everything recorded so far reaches the client. */
  deliver(): void {
    for (const { seq, tags } of this.#log.filter((entry) => entry.seq > this.#cursor!)) {
      if (overlaps(tags, [...this.watched.values()])) {
        this.#binding?.onInvalidate({ scope: GLOBAL, at: `e:${seq}`, tags, spreadMs: 0, source: 'stream' })
      }
      this.#cursor = seq
    }
  }

  /** The server answers what was asked. */
  answer(): void {
    if (this.#asked.size === 0) return
    this.requests++
    const asked = [...this.#asked.values()]
    this.#asked.clear()
    for (const { tag } of asked) this.watched.set(toTagKey(tag), tag)
    const from = Math.min(...asked.map((ask) => this.#seqOf(ask.from)))
    const added = asked.map(({ tag }) => tag)
    if (from === UNKNOWN) return this.#binding?.onMissed(added, 'expired')
    const missed = this.#log
      .filter(({ seq }) => seq > from)
      .flatMap(({ seq, tags }) => tags.filter((tag) => overlaps([tag], added)).map((tag) => ({ tag, seq })))
    this.#binding?.onMissed(
      added,
      missed.map(({ tag }) => tag),
      missed.map(({ seq }) => toCursor(seq)),
    )
  }

  /** Recorded and delivered at once. */
  invalidate(...tags: readonly TagInput[]): void {
    this.record(...tags)
    this.deliver()
  }

  reset(): void {
    this.#cursor = this.#top
    this.#binding?.onReset({ scopes: [GLOBAL], reason: 'expired', spreadMs: 0 })
  }

  get asked(): readonly PlainTag[] {
    return [...this.#asked.values()].map(({ tag }) => tag)
  }

  attach(binding: Binding, { pageCursor }: AttachOptions = {}): Attachment {
    if (this.#binding) throw new Error('It is bound')
    this.#binding = binding
    this.#page = pageCursor && this.#seqOf({ first: false, cursor: pageCursor })
    return {
      position: () =>
        this.#cursor === undefined
          ? { first: true, cursor: undefined }
          : { first: false, cursor: toCursor(this.#cursor) },
      cursorOf: (positions) =>
        this.#cursor === undefined
          ? undefined
          : toCursor(Math.min(this.#cursor, ...positions.map((position) => this.#seqOf(position)))),
      watch: (tag, from) => {
        const id = toTagKey(tag)
        const before = this.#asked.get(id)?.from
        this.#asked.set(id, { tag, from: before ? olderRead(before, from) : from })
      },
      unwatch: (tag) => {
        this.watched.delete(toTagKey(tag))
        this.#asked.delete(toTagKey(tag))
      },
      isWatched: (tag) => this.watched.has(toTagKey(tag)) && !this.#asked.has(toTagKey(tag)),
      isBehind: () => this.behind,
      detach: () => {
        this.#binding = undefined
      },
    }
  }

  applyReceipt({ scope, at, tags }: Receipt): void {
    this.#binding?.onInvalidate({ scope, at, tags, spreadMs: 0, source: 'receipt' })
  }

  subscribe(): () => void {
    return () => undefined
  }

  close(): void {
    this.#binding = undefined
  }

  #seqOf({ first, cursor }: ReadPosition): number {
    // Another user's.
    if (Object.keys(cursor ?? {}).some((scope) => scope !== GLOBAL)) return UNKNOWN
    const seq = cursor ? Number(cursor[GLOBAL]?.split(':')[1] ?? UNKNOWN) : Infinity
    return Math.min(seq, first ? (this.#first ?? this.#page ?? this.#loadedAt) : Infinity)
  }
}

function toCursor(seq: number): Cursor {
  return seq === UNKNOWN ? {} : { [GLOBAL]: `e:${seq}` }
}

function olderRead(a: ReadPosition, b: ReadPosition): ReadPosition {
  const cursor = a.cursor && b.cursor ? olderCursor(a.cursor, b.cursor, a.cursor) : (a.cursor ?? b.cursor)
  return { first: a.first || b.first, cursor }
}

function overlaps(tags: readonly PlainTag[], held: readonly PlainTag[]): boolean {
  return tags.some((tag) => held.some((other) => tagsOverlap(tag, other)))
}
