import type { Clock } from '../../clock.ts'
import type { ScopeLogs } from '../scope-logs.ts'
import type { Journal } from './journal.ts'
import type { KeyvAccess } from './keyv-access.ts'
import { encodeHead, headKeys, logFamily, snapshotFamily, type Head, type KeyRange } from './layout.ts'
import { OwnershipLost, type Ownership } from './ownership.ts'
import { writeSnapshot } from './snapshot.ts'
import { yieldTask } from './waiting.ts'

/** The log may be this long, or twice as long as the snapshot, before a new snapshot takes its place. */
const MIN_LOG_CHARACTERS = 2 ** 20
/** So many owners may have left their part of the log. */
const MAX_SEGMENTS = 32
/** Keys that are looked at together when nobody knows how many there are. */
const BATCH = 16

export interface CompactionOptions {
  readonly access: KeyvAccess
  readonly clock: Clock
  readonly ownership: Ownership
  readonly logs: ScopeLogs
  readonly journal: Journal
  readonly head: Head
  /** Length of the chunks that came before this owner's. */
  readonly logCharacters: number
  readonly report: (error: unknown) => void
}

/** Keeps what is stored in proportion to what is remembered: writes snapshots, and deletes what they replace. */
export class Compaction {
  readonly #options: CompactionOptions
  #head: Head
  /** Length of the log when the journal is empty; negative once a snapshot took in some of it. */
  #logBase: number
  #running: Promise<void> | undefined

  constructor(options: CompactionOptions) {
    this.#options = options
    this.#head = options.head
    this.#logBase = options.logCharacters
  }

  /** Deletes what owners before left. */
  begin(): void {
    this.#start(() => this.#collect())
  }

  /** Writes a snapshot if it is time. */
  consider(): void {
    const { snapshotCharacters, segments } = this.#head
    const length = this.#logBase + this.#options.journal.characters
    if (length <= Math.max(MIN_LOG_CHARACTERS, 2 * snapshotCharacters) && segments.length <= MAX_SEGMENTS) return
    this.#start(() => this.#compact())
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    await this.#running
  }

  #start(work: () => Promise<void>): void {
    this.#running ??= work()
      .catch((error: unknown) => {
        if (!(error instanceof OwnershipLost)) this.#options.report(error)
      })
      .finally(() => {
        this.#running = undefined
      })
  }

  async #compact(): Promise<void> {
    const { ownership, logs, journal, clock } = this.#options
    const before = this.#head
    const version = before.version + 1
    const [firstChunk, characters] = [journal.nextChunk, journal.characters]
    const family = snapshotFamily(ownership.owner, version)
    const { range, characters: snapshotCharacters } = await writeSnapshot(ownership, logs, family, clock)
    const garbage: KeyRange[] = [...before.garbage, ...before.segments]
    if (before.snapshot) garbage.push(before.snapshot)
    if (firstChunk > before.firstChunk) garbage.push([logFamily(ownership.owner), before.firstChunk, firstChunk - 1])
    const head = { ...before, version, snapshot: range, snapshotCharacters, segments: [], firstChunk, garbage }
    await ownership.putUntilKept(headKeys(ownership.generation)[version % 2]!, encodeHead(head))
    this.#head = head
    this.#logBase = -characters
    // From here on whoever only finds the older head finds, too, that its log goes further than what is left of it.
    await ownership.sign()
    await this.#collect()
  }

  /** Deletes what no head needs. What fails is left for the next time, by this owner or another one. */
  async #collect(): Promise<void> {
    const left: KeyRange[] = []
    for (const range of this.#head.garbage) if (!(await this.#delete(range))) left.push(range)
    this.#head = { ...this.#head, garbage: left }
  }

  async #delete([family, first, last]: KeyRange): Promise<boolean> {
    const { access, clock, ownership, report } = this.#options
    try {
      const end = last ?? Infinity
      for (let from = first; from <= end; from += BATCH) {
        const count = Math.min(BATCH, end - from + 1)
        const keys = Array.from({ length: count }, (_, i) => `${family}${from + i}`)
        const values = last === null ? await access.getMany(keys) : keys
        if (values.every((value) => value === undefined)) return true
        for (const [i, key] of keys.entries()) {
          if (ownership.lost) return false
          if (values[i] !== undefined && !(await access.delete(key))) return false
        }
        await yieldTask(clock)
      }
      return true
    } catch (error) {
      if (ownership.lost) throw error
      report(error)
      return false
    }
  }
}
