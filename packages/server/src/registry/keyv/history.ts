import { toTagKey, type PlainTag } from '@query-tags/core'
import type { Clock } from '../../clock.ts'
import type { ScopeLogs } from '../scope-logs.ts'
import type { KeyvAccess } from './keyv-access.ts'
import { logFamily, parseItems, type Head, type KeyRange, type LogRecord, type ScopePiece } from './layout.ts'
import { yieldTask } from './waiting.ts'

/** Chunks or parts that are read at a time. */
const BATCH = 16
/** So many of them are taken in without letting anything else go first. */
const YIELD_AFTER = 4

/** Something of the history is not there, or can't be read: whatever is known of it could be a part only. */
export class HistoryLost extends Error {}

export interface LoadedHistory {
  /** The last chunk of the owner's own log; one before the first that counts if there is none. */
  readonly lastChunk: number
  /** Length of all chunks. */
  readonly logCharacters: number
}

/**
 * Reads a history into logs.
 *
 * @param keptChunk the last chunk that is known to have been kept.
 * @throws {HistoryLost}
 */
export async function loadHistory(
  access: KeyvAccess,
  clock: Clock,
  logs: ScopeLogs,
  head: Head,
  keptChunk: number,
): Promise<LoadedHistory> {
  let logCharacters = 0
  const replayChunk = (items: readonly unknown[], characters: number): void => {
    logCharacters += characters
    for (const item of items) replay(logs, item as LogRecord)
  }
  const loadPart = (items: readonly unknown[]): void => {
    for (const item of items) loadPiece(logs, item as ScopePiece)
  }
  if (head.snapshot) await readRange(access, clock, head.snapshot, loadPart)
  for (const segment of head.segments) await readRange(access, clock, segment, replayChunk)
  const lastChunk = await readRange(access, clock, [logFamily(head.owner), head.firstChunk, null], replayChunk)
  // guard(kept-chunk): a log that ends before what was kept has lost its end, guarantee 3
  if (lastChunk < keptChunk) throw new HistoryLost(`${logFamily(head.owner)}${lastChunk + 1} is missing`)
  return { lastChunk, logCharacters }
}

/** Passes on what is under these keys, and returns the number of the last one. */
async function readRange(
  access: KeyvAccess,
  clock: Clock,
  [family, first, last]: KeyRange,
  take: (items: readonly unknown[], characters: number) => void,
): Promise<number> {
  const end = last ?? Infinity
  for (let from = first; from <= end; from += BATCH) {
    const count = Math.min(BATCH, end - from + 1)
    const texts = await access.getMany(Array.from({ length: count }, (_, i) => `${family}${from + i}`))
    for (const [i, text] of texts.entries()) {
      if (text === undefined && last === null) {
        // guard(hole): what comes after a chunk that is missing would pass for everything since, guarantee 3
        if (texts.some((later, j) => j > i && later !== undefined))
          throw new HistoryLost(`${family}${from + i} is missing`)
        return from + i - 1
      }
      const items = text === undefined ? undefined : parseItems(text, family, from + i)
      if (!items) throw new HistoryLost(`${family}${from + i} is missing or damaged`)
      try {
        take(items, text?.length ?? 0)
      } catch (error) {
        throw new HistoryLost(`${family}${from + i} is damaged`, { cause: error })
      }
      if (i % YIELD_AFTER === YIELD_AFTER - 1) await yieldTask(clock)
    }
  }
  return last ?? first - 1
}

function loadPiece(logs: ScopeLogs, [scope, epoch, floor, entries, isContinued]: ScopePiece): void {
  const log = isContinued ? logs.peek(scope) : logs.create(scope, epoch, floor)
  // Forgotten while it was loaded, for want of memory.
  if (log?.epoch !== epoch) return
  for (const [seq, tags] of entries) if (logs.peek(scope)) logs.record(scope, toKeys(tags), seq)
}

/** A snapshot shows each scope at a moment of its own, so some records are in it already. */
function replay(logs: ScopeLogs, record: LogRecord): void {
  const [scope, epoch] = record
  const log = logs.peek(scope)
  if (record.length === 3) {
    if (log?.epoch !== epoch) logs.create(scope, epoch, record[2])
    return
  }
  const [, , prev, seq, tags] = record
  // It was forgotten, or begun anew: then that comes later.
  if (log?.epoch !== epoch || seq <= log.head.seq) return
  // guard(replay-gap): without what lies between, the list of what was missed would be a part only, guarantee 3
  if (prev !== log.head.seq) return logs.drop(scope)
  logs.record(scope, toKeys(tags), seq)
}

function toKeys(tags: readonly unknown[]): string[] {
  return tags.map((tag) => toTagKey(tag as PlainTag))
}
