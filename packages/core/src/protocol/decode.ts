import { QueryTagsError } from '../errors.ts'
import { parsePosition, readCursor, type Cursor } from './cursor.ts'
import type { Frame } from './messages.ts'
import { show, type PlainTag } from '../tags/tag.ts'
import { toTagKey } from '../tags/tag-key.ts'

/**
 * The frame of one event, or `undefined` for an event of a later version.
 *
 * @throws {QueryTagsError} `malformed-message`. A frame that can't be read is a doubt: the reader has to resume from before it.
 */
export function decodeFrame(event: string, json: string): Frame | undefined {
  const data = parseObject(json)
  const valid = FRAME_CHECKS.get(event)?.(data)
  if (valid === undefined) return undefined
  if (!valid) throw new QueryTagsError('malformed-message', `Malformed "${event}" event: ${show(json)}`)
  return { event, data } as unknown as Frame
}

/** The cursor in an event ID, or `undefined`. */
export function decodeCursor(id: string): Cursor | undefined {
  try {
    return readCursor(JSON.parse(id))
  } catch {
    // Not JSON: a Last-Event-ID of somebody else's stream, or forged. The caller starts without it.
    return undefined
  }
}

/** Tags from outside, each checked. `undefined` when it is no list of tags. */
export function readTags(value: unknown): readonly PlainTag[] | undefined {
  if (!Array.isArray(value)) return undefined
  try {
    for (const tag of value) toTagKey(tag as PlainTag)
  } catch {
    // The caller refuses the whole message; which tag was bad is not told to strangers.
    return undefined
  }
  return value as readonly PlainTag[]
}

type Fields = Record<string, unknown>
const isCursor = (value: unknown): boolean => readCursor(value) !== undefined
const isMs = (value: unknown): boolean => typeof value === 'number' && value >= 0
const isText = (value: unknown): boolean => typeof value === 'string'

const FRAME_CHECKS: ReadonlyMap<string, (data: Fields) => boolean> = new Map([
  ['hello', (f: Fields) => isText(f['connection']) && isCursor(f['cursor']) && isMs(f['heartbeatMs']) && isMs(f['retryMs'])],
  ['invalidate', (f: Fields) => isText(f['scope']) && parsePosition(f['at']) !== undefined && readTags(f['tags']) !== undefined],
  ['heartbeat', (f: Fields) => isCursor(f['cursor']) && typeof f['verified'] === 'boolean' && isMs(f['retryMs'])],
  ['reset', (f: Fields) => Array.isArray(f['scopes']) && f['scopes'].every(isText) && isCursor(f['cursor'])],
  ['bye', (f: Fields) => isText(f['reason']) && isMs(f['retryMs'])],
])

function parseObject(json: string): Fields {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null) return value as Fields
  } catch {
    // Falls through: no frame is an empty object, so the check refuses it.
  }
  return {}
}
