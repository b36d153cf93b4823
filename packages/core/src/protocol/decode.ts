import { QueryTagsError } from '../errors.ts'
import { isPlainObject, show } from '../json.ts'
import type { PlainTag } from '../tags/tag.ts'
import { toTagKey } from '../tags/tag-key.ts'
import { parsePosition, readCursor, type Cursor } from './cursor.ts'
import { PROTOCOL_VERSION, type Frame, type Frames } from './messages.ts'
import { isScopeId } from './scope.ts'

/**
 * The frame of one event, or `undefined` for an event of a later version.
 *
 * @throws {QueryTagsError} `malformed-message`, or `unsupported-version` for a hello of another one. A frame that can't be read is a doubt:
 * the reader has to resume from before it.
 */
export function decodeFrame(event: string, json: string): Frame | undefined {
  if (!isFrameName(event)) return undefined
  const data = parseFields(json)
  // Before the other fields, since those of another version may look different. What has no version is malformed: garbage, worth a retry.
  if (event === 'hello' && typeof data['v'] === 'number' && data['v'] !== PROTOCOL_VERSION) {
    throw new QueryTagsError('unsupported-version', `The server speaks version ${data['v']}, not ${PROTOCOL_VERSION}`)
  }
  for (const [field, isValid] of Object.entries(FRAME_FIELDS[event])) {
    if (!isValid(data[field])) {
      throw new QueryTagsError(
        'malformed-message',
        `Malformed "${event}" event, at its field "${field}": ${show(json)}`,
      )
    }
  }
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

type Fields = Readonly<Record<string, unknown>>

const isVersion = (value: unknown): boolean => value === PROTOCOL_VERSION
const isText = (value: unknown): boolean => typeof value === 'string'
const isFlag = (value: unknown): boolean => typeof value === 'boolean'
/** A duration. JSON can write one that no timer takes: `1e999` is Infinity. */
const isMs = (value: unknown): boolean => Number.isFinite(value) && (value as number) >= 0
const isAt = (value: unknown): boolean => parsePosition(value) !== undefined
const isCursor = (value: unknown): boolean => readCursor(value) !== undefined
const areTags = (value: unknown): boolean => readTags(value) !== undefined
const areScopes = (value: unknown): boolean => Array.isArray(value) && value.every(isScopeId)

type FieldChecks<K extends keyof Frames> = { readonly [F in keyof Frames[K]]-?: (value: unknown) => boolean }

/** What every field of a frame must be. Fields that are not listed are let through, for later versions. */
const FRAME_FIELDS: { readonly [K in keyof Frames]: FieldChecks<K> } = {
  hello: {
    v: isVersion,
    connection: isText,
    cursor: isCursor,
    heartbeatMs: isMs,
    retryMs: isMs,
    scoped: isFlag,
  },
  invalidate: { scope: isScopeId, at: orAbsent(isAt), tags: areTags, spreadMs: orAbsent(isMs) },
  heartbeat: { cursor: isCursor, verified: isFlag, retryMs: isMs },
  reset: { scopes: areScopes, cursor: isCursor, reason: isText, spreadMs: isMs },
  bye: { reason: isText, retryMs: isMs },
}

function orAbsent(isValid: (value: unknown) => boolean): (value: unknown) => boolean {
  return (value) => value === undefined || isValid(value)
}

function isFrameName(event: string): event is keyof Frames {
  return Object.hasOwn(FRAME_FIELDS, event)
}

function parseFields(json: string): Fields {
  try {
    const value: unknown = JSON.parse(json)
    if (isPlainObject(value)) return value
  } catch {
    // Falls through: no frame is without fields, so the checks refuse it.
  }
  return {}
}
