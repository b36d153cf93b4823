import type { Cursor } from '@query-tags/core'
import type { ReadMoment } from './tagged-query.ts'

/** Older than anything of which only the page, or a snapshot, says how old it is: those get 0 and less, one by one. */
const OLDEST_CLOCK = -1e9

/** Data that came out of a store one by one, and where they were read. That stays true of an object, whatever query holds it. */
const reads = new WeakMap<object, { clock: number; readonly position: ReadMoment['position'] }>()
let clock = OLDEST_CLOCK

export function noteRestored(data: object, cursor: Cursor): void {
  reads.set(data, { clock: 0, position: { first: false, cursor } })
}

/** When these data were read, if they came out of a store with a cursor of their own. */
export function restoredRead(data: unknown): ReadMoment | undefined {
  const read = reads.get(data as object)
  // What comes later into the cache may be older, and what was asked for other data does not count for it.
  if (read) read.clock ||= --clock
  return read
}

export function isRestored(read: ReadMoment): boolean {
  return read.clock < OLDEST_CLOCK
}
