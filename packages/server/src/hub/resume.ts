import {
  encodeInvalidate,
  formatPosition,
  parsePosition,
  type Cursor,
  type Position,
  type ResetReason,
} from '@query-tags/core'
import { MAX_REPLAY_BYTES, MAX_REPLAY_TAGS, type Channel } from './channel.ts'
import type { Reading, Start } from './shared-reads.ts'
import type { Member } from './watcher.ts'

/** An age says little about what was read when it is too long. */
const MAX_AGE_MS = 600_000

/** Where a client wants to go on. */
export interface ResumeRequest {
  readonly cursor: Cursor
  /** For scopes that are not in the cursor. `'head'`: from now on. `'unknown'`: it may have missed anything. */
  readonly absent: { readonly ageMs: number } | 'head' | 'unknown'
  /** Scopes in the cursor, too, start at the age if that is older. */
  readonly first: boolean
}

/** Where a connection starts in one scope. `'unknown'`: the registry could not say; a reset follows when it can. */
export type Resumption = Reading | { readonly kind: 'unknown'; readonly error: unknown }

/** Finds out what a connection missed in one scope. It has to be a member of the channel already. Never rejects. */
export async function resume(channel: Channel, request: ResumeRequest): Promise<Resumption> {
  try {
    await channel.ready()
    const reading = await readFrom(channel, request)
    if (reading.kind === 'missed' ? reading.head.epoch === channel.head.epoch : reading.reason !== 'epoch')
      return reading
    // The log may be of an epoch that the channel has not heard of, or of one that ended during the read.
    await channel.verify()
    if (reading.kind === 'expired') return reading
    // guard(resume-epoch): live messages of another epoch than the replay's would be taken for its continuation, guarantee 6
    if (reading.head.epoch !== channel.head.epoch) return { kind: 'expired', reason: 'epoch' }
    return reading
  } catch (error) {
    return { kind: 'unknown', error }
  }
}

async function readFrom(channel: Channel, { cursor, absent, first }: ResumeRequest): Promise<Reading> {
  const position = parsePosition(cursor[channel.scope])
  const starts: Start[] = position ? [position] : []
  if (typeof absent === 'object') {
    // guard(age-limit): by then timers may have been stopped for longer than the slack in the age, guarantee 1
    if (!position && absent.ageMs > MAX_AGE_MS) return { kind: 'expired', reason: 'expired' }
    if (!position || first) starts.push(absent)
  } else if (!position) {
    if (absent === 'unknown') return { kind: 'expired', reason: 'expired' }
    return { kind: 'missed', from: channel.head, entries: [], head: channel.head }
  }
  const readings = await Promise.all(starts.map((start) => channel.read(start)))
  return readings.reduce(olderReading)
}

/** The one that started earlier; whatever is not known counts as earlier. */
function olderReading(a: Reading, b: Reading): Reading {
  if (a.kind === 'expired') return a
  if (b.kind === 'expired') return b
  if (a.head.epoch !== b.head.epoch) return { kind: 'expired', reason: 'epoch' }
  return a.from.seq <= b.from.seq ? a : b
}

/** The frames that tell a connection what it missed of its tags, or why it gets a reset. */
export function toReplay(
  member: Member,
  scope: string,
  reading: Extract<Reading, { kind: 'missed' }>,
): string[] | ResetReason {
  const frames: string[] = []
  let tagCount = 0
  let bytes = 0
  for (const entry of reading.entries) {
    if (!isAfter(entry.at, reading.from)) continue
    const keys = entry.keysFor(member)
    if (keys.length === 0) continue
    const frame = encodeInvalidate(scope, formatPosition(entry.at), keys)
    frames.push(frame)
    tagCount += keys.length
    bytes += frame.length
    if (tagCount > MAX_REPLAY_TAGS || bytes > MAX_REPLAY_BYTES) return 'too-many'
  }
  return frames
}

function isAfter(position: Position, from: Position): boolean {
  return position.seq > from.seq
}
