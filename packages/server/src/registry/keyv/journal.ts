import { toTagKey, type PlainTag, type Position } from '@query-tags/core'
import type { Listeners } from '../listeners.ts'
import type { ScopeLog } from '../scope-log.ts'
import type { ScopeLogs } from '../scope-logs.ts'
import { encodeItems, logFamily, MAX_VALUE_CHARACTERS } from './layout.ts'
import type { Ownership } from './ownership.ts'

/** What may wait for the store, in characters. One more rejects at once. */
const MAX_WAITING_CHARACTERS = 16 * 2 ** 20

interface Waiting {
  readonly scope: string
  /** `undefined`: only makes sure that the scope has begun. */
  readonly tags: readonly PlainTag[] | undefined
  readonly keys: readonly string[]
  readonly characters: number
  readonly resolve: (position: Position) => void
  readonly reject: (error: unknown) => void
}

/** One change of a scope's log, once its chunk is kept. */
interface Change {
  readonly scope: string
  readonly epoch: string
  readonly prev: number
  readonly seq: number
  /** `undefined`: the scope begins. */
  readonly waiting: Waiting | undefined
}

interface Chunk {
  readonly text: string
  readonly changes: readonly Change[]
  /** Who waits for it. */
  readonly waiting: readonly Waiting[]
}

/**
 * Writes down what is recorded, before it is applied and told. One chunk is on its way at a time; what comes meanwhile makes the next one.
 */
export class Journal {
  readonly #ownership: Ownership
  readonly #logs: ScopeLogs
  readonly #listeners: Listeners
  readonly #family: string
  readonly #onKept: () => void
  #waiting: Waiting[] = []
  #waitingCharacters = 0
  #running: Promise<void> | undefined
  #nextChunk = 1
  #characters = 0

  /** @param onKept is called after each chunk. */
  constructor(ownership: Ownership, logs: ScopeLogs, listeners: Listeners, onKept: () => void) {
    this.#onKept = onKept
    this.#ownership = ownership
    this.#logs = logs
    this.#listeners = listeners
    this.#family = logFamily(ownership.owner)
  }

  /** The first chunk that the logs do not show yet, kept or not. */
  get nextChunk(): number {
    return this.#nextChunk
  }

  /** Length of all chunks so far. */
  get characters(): number {
    return this.#characters
  }

  record(scope: string, tags: readonly PlainTag[]): Promise<Position> {
    return this.#enqueue(scope, tags)
  }

  /** The log of a scope, which begins if it has to. */
  async find(scope: string): Promise<ScopeLog> {
    for (;;) {
      const log = this.#logs.find(scope)
      if (log) return log
      await this.#enqueue(scope, undefined)
    }
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  #enqueue(scope: string, tags: readonly PlainTag[] | undefined): Promise<Position> {
    const keys = tags?.map(toTagKey) ?? []
    const characters = keys.reduce((sum, key) => sum + key.length + 1, scope.length + 100)
    return new Promise((resolve, reject) => {
      if (this.#waitingCharacters + characters > MAX_WAITING_CHARACTERS) {
        reject(new Error('Too many invalidations are waiting for the store'))
        return
      }
      this.#waitingCharacters += characters
      this.#waiting.push({ scope, tags, keys, characters, resolve, reject })
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined
      })
    })
  }

  async #run(): Promise<void> {
    try {
      // In the next task, so that what is recorded in one goes together.
      await Promise.resolve()
      while (this.#waiting.length > 0) {
        const chunk = this.#takeChunk()
        if (chunk.changes.length > 0) await this.#write(chunk)
      }
    } catch (error) {
      this.#rejectWaiting(error)
    }
  }

  async #write(chunk: Chunk): Promise<void> {
    const reject = (error: unknown): void => {
      for (const waiting of chunk.waiting) waiting.reject(error)
      this.#rejectWaiting(error)
    }
    try {
      // guard(journal-first): what is told before it is kept would be unknown after a restart, at a position that is used again, guarantee 4
      await this.#ownership.putUntilKept(this.#family + this.#nextChunk, chunk.text, reject)
    } catch (error) {
      reject(error)
      throw error
    }
    this.#ownership.keptChunk = this.#nextChunk++
    this.#characters += chunk.text.length
    for (const change of chunk.changes) this.#apply(change)
    // Whoever waits for a scope only, or was answered with an error already, is settled here.
    for (const { scope, resolve } of chunk.waiting) {
      const log = this.#logs.peek(scope)
      if (log) resolve(log.head)
    }
    this.#onKept()
  }

  #apply({ scope, epoch, prev, seq, waiting }: Change): void {
    if (!waiting) {
      this.#logs.create(scope, epoch, seq)
      return
    }
    // Forgotten meanwhile, for want of memory: then it begins where this is, and nothing is known before.
    if (!this.#logs.peek(scope)) this.#logs.create(scope, epoch, seq)
    const position = this.#logs.record(scope, waiting.keys, seq)
    this.#listeners.tell(scope, { ...position, prev, tags: waiting.tags ?? [] })
    waiting.resolve(position)
  }

  /** Takes from what waits as much as fits. Positions are given here: everything before is applied. */
  #takeChunk(): Chunk {
    const items: string[] = []
    const changes: Change[] = []
    const waiting: Waiting[] = []
    const tops = new Map<string, Position>()
    for (let characters = 0, next = this.#waiting[0]; next; next = this.#waiting[0]) {
      characters += next.characters
      if (characters > MAX_VALUE_CHARACTERS && waiting.length > 0) break
      this.#waiting.shift()
      this.#waitingCharacters -= next.characters
      waiting.push(next)
      const { scope, keys, tags } = next
      const log = this.#logs.peek(scope)
      if (log && !tags) {
        next.resolve(log.head)
        continue
      }
      let top = tops.get(scope) ?? log?.head
      if (!top) {
        top = { epoch: this.#logs.newEpoch(), seq: this.#logs.bornAt }
        tops.set(scope, top)
        changes.push({ scope, ...top, prev: top.seq, waiting: undefined })
        items.push(JSON.stringify([scope, top.epoch, top.seq]))
      }
      if (!tags) continue
      const seq = Math.max(top.seq + 1, this.#logs.clockSeq())
      tops.set(scope, { epoch: top.epoch, seq })
      changes.push({ scope, epoch: top.epoch, prev: top.seq, seq, waiting: next })
      // A key is the tag as JSON.
      items.push(`[${JSON.stringify(scope)},"${top.epoch}",${top.seq},${seq},[${keys.join()}]]`)
    }
    return { text: encodeItems(this.#family, this.#nextChunk, items), changes, waiting }
  }

  #rejectWaiting(error: unknown): void {
    this.#waitingCharacters = 0
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}
