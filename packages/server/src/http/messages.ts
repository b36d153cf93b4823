import {
  decodeCursor,
  isQueryTagsError,
  PROTOCOL_VERSION,
  readCursor,
  readTags,
  toScopeId,
  type Cursor,
  type PlainTag,
  type Scope,
  type WatchRequest,
} from '@query-tags/core'
import type { ConnectionRequest } from '../hub/connection.ts'
import type { ResumeRequest } from '../hub/resume.ts'
import type { ConnectMode } from '../metrics/metrics.ts'
import { Refusal } from './refusal.ts'

/** A request for a stream, checked. */
export interface StreamMessage extends ConnectionRequest {
  /** Identity of the scope that the client wishes for. */
  readonly wish: string | undefined
  /** Id of a connection that this one takes the place of. */
  readonly replaces: string | undefined
  readonly mode: ConnectMode
}

const WATCHER = /^\w{1,64}$/
const CONNECTION = /^\w{1,64}$/

/** The stream that plain EventSource and curl get: everything, from where the last event ID says. */
export function fromLastEventId(lastEventId: string | undefined): StreamMessage {
  const cursor = lastEventId ? decodeCursor(lastEventId) : undefined
  let absent: ResumeRequest['absent'] = 'head'
  // guard(last-event-id): what such an ID lacks, or all of one that can't be read, may have been missed, guarantee 3
  if (lastEventId) absent = 'unknown'
  return {
    watcher: 'all',
    watch: '*',
    resume: { cursor: cursor ?? {}, absent, first: false },
    wish: undefined,
    replaces: undefined,
    mode: lastEventId ? 'last-event-id' : 'plain',
  }
}

/** @throws {Refusal} `malformed-message`, `unsupported-version` */
export function readStreamMessage(message: unknown): StreamMessage {
  const fields = readObject(message)
  const { v, scope, cursor, ageMs, first, watcher, watch, replaces } = fields
  if (typeof v !== 'number') throw malformed('v must be a number')
  if (v !== PROTOCOL_VERSION) {
    throw new Refusal('unsupported-version', `This server speaks version ${PROTOCOL_VERSION}, not ${String(v)}`)
  }
  if (typeof ageMs !== 'number' || !Number.isFinite(ageMs) || ageMs < 0)
    throw malformed('ageMs must be a number, 0 or more')
  if (first !== undefined && typeof first !== 'boolean') throw malformed('first must be a boolean')
  if (replaces !== undefined && !matches(replaces, CONNECTION))
    throw malformed('replaces must be the id of a connection')
  return {
    watcher: readWatcher(watcher),
    watch: watch === '*' ? '*' : readTagList(watch, 'watch'),
    resume: {
      cursor: cursor === undefined ? {} : readPositions(cursor, 'cursor'),
      absent: { ageMs },
      first: first ?? false,
    },
    wish: scope === undefined ? undefined : readScope(scope),
    replaces,
    mode: cursor === undefined ? 'fresh' : 'resumed',
  }
}

/** @throws {Refusal} `malformed-message` */
export function readWatchRequest(message: unknown): WatchRequest {
  const { connection, watcher, n, add, remove, from } = readObject(message)
  if (!matches(connection, CONNECTION)) throw malformed('connection must be the id of a connection')
  if (typeof n !== 'number' || !Number.isSafeInteger(n) || n < 1) throw malformed('n must be a positive integer')
  return {
    connection,
    watcher: readWatcher(watcher),
    n,
    add: readTagList(add, 'add'),
    remove: readTagList(remove, 'remove'),
    from: readPositions(from, 'from'),
  }
}

function readObject(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed('the body must be a JSON object')
  return value as Record<string, unknown>
}

function readWatcher(value: unknown): string {
  if (!matches(value, WATCHER)) throw malformed('watcher must be 1 to 64 word characters')
  return value
}

function readTagList(value: unknown, name: string): readonly PlainTag[] {
  const tags = readTags(value)
  if (!tags) throw malformed(`${name} must be a list of tags`)
  return tags
}

function readPositions(value: unknown, name: string): Cursor {
  const cursor = readCursor(value)
  if (!cursor) throw malformed(`${name} must be a cursor`)
  return cursor
}

function readScope(value: unknown): string {
  try {
    return toScopeId(value as Scope)
  } catch (error) {
    if (isQueryTagsError(error, 'invalid-scope')) throw malformed('scope must be { kind, id? }')
    throw error
  }
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value)
}

function malformed(what: string): Refusal {
  return new Refusal('malformed-message', `Malformed message: ${what}`)
}
