/**
 * What is kept under which key, and how it is written. Every value is one JSON text that begins with the number of its format, and fits the
 * smallest column that a store gives a value (MySQL's TEXT). Numbers of generations, chunks and parts count up; a key of a log or a
 * snapshot is written once.
 *
 * Claims and beats mean the same in every format, so that processes of different versions keep out of each other's way.
 */

export const FORMAT = 1
/** A chunk or part is full when its text is this long. */
export const MAX_VALUE_CHARACTERS = 32_768

/** Keys from one number to another: `<family><number>`. `last: null`: until there are no more. */
export type KeyRange = readonly [family: string, first: number, last: number | null]

export const claimKey = (generation: number): string => `claim.${generation}`
export const beatKey = (generation: number): string => `beat.${generation}`
/** A head is written over the one before the last, so one of the two is always whole. */
export const headKeys = (generation: number): [even: string, odd: string] => [
  `head.${generation}.0`,
  `head.${generation}.1`,
]
export const logFamily = (owner: string): string => `log.${owner}.`
export const snapshotFamily = (owner: string, version: number): string => `snapshot.${owner}.${version}.`

/** Where a process runs. */
export interface ProcessIdentity {
  /** Processes at the same place see each other's ids. */
  readonly place: string
  readonly pid: number
  /** Tells processes apart that had the same id. */
  readonly startedAt: string
  readonly host: string
}

/** Who has a generation. `owner` is another one for each attempt of each registry. */
export interface Claim {
  readonly isClosed: boolean
  readonly owner: string
  readonly process: ProcessIdentity | undefined
}

export function encodeClaim(owner: string, { place, pid, startedAt, host }: ProcessIdentity): string {
  return JSON.stringify([FORMAT, 'open', owner, place, pid, startedAt, host])
}

export function encodeClosed(owner: string): string {
  return JSON.stringify([FORMAT, 'closed', owner])
}

export function parseClaim(text: string): Claim {
  const [, state, owner, place, pid, startedAt, host] = parseArray(text) ?? []
  const process =
    typeof place === 'string' && typeof pid === 'number'
      ? { place, pid, startedAt: String(startedAt), host: String(host) }
      : undefined
  return { isClosed: state === 'closed', owner: typeof owner === 'string' ? owner : '', process }
}

/** A sign of life: it differs each time. */
export interface Beat {
  readonly owner: string
  /** The last chunk of the owner's log that is known to be kept. */
  readonly chunk: number
}

export function encodeBeat({ owner, chunk }: Beat, count: number): string {
  return JSON.stringify([FORMAT, owner, chunk, count])
}

export function parseBeat(text: string): Beat | undefined {
  const [, owner, chunk] = parseArray(text) ?? []
  return typeof owner === 'string' && typeof chunk === 'number' ? { owner, chunk } : undefined
}

/** What a history is made of: a snapshot, what was logged by owners before, then the owner's own log. */
export interface Head {
  readonly owner: string
  readonly version: number
  readonly snapshot: KeyRange | null
  readonly snapshotCharacters: number
  readonly segments: readonly KeyRange[]
  /** The first chunk of the owner's own log that counts. */
  readonly firstChunk: number
  /** What is not needed any more and may still be there. */
  readonly garbage: readonly KeyRange[]
}

export function encodeHead(head: Head): string {
  return JSON.stringify([FORMAT, head])
}

/** `'unreadable'` for another format, too. */
export function parseHead(text: string): Head | 'unreadable' {
  const [format, head] = parseArray(text) ?? []
  return format === FORMAT && typeof head === 'object' && head !== null ? (head as Head) : 'unreadable'
}

/** The format that a value is written in, if that can be read. */
export function formatOf(text: string): number | undefined {
  const format = parseArray(text)?.[0]
  return typeof format === 'number' ? format : undefined
}

/** What a chunk is made of: a scope that begins, or an invalidation. */
export type LogRecord =
  | readonly [scope: string, epoch: string, bornAt: number]
  | readonly [scope: string, epoch: string, prev: number, seq: number, tags: readonly unknown[]]

/** One scope in a snapshot, or the next piece of it. The log begins at the floor and ends with the last entry, which may have no tags. */
export type ScopePiece = readonly [
  scope: string,
  epoch: string,
  floor: number,
  entries: readonly (readonly [seq: number, tags: readonly unknown[]])[],
  isContinued: 0 | 1,
]

/** @param items JSON texts */
export function encodeItems(family: string, number: number, items: readonly string[]): string {
  return `[${FORMAT},${JSON.stringify(family)},${number},[${items.join()}]]`
}

/** `undefined`: it is not what was written under this key. */
export function parseItems(text: string, family: string, number: number): readonly unknown[] | undefined {
  const [format, inFamily, inNumber, items] = parseArray(text) ?? []
  const isOurs = format === FORMAT && inFamily === family && inNumber === number && Array.isArray(items)
  return isOurs ? items : undefined
}

function parseArray(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : undefined
  } catch {
    // Torn, or somebody else's.
    return undefined
  }
}
