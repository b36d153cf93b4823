import { MAX_CURSOR_SCOPES, olderCursor, parsePosition, raiseCursor, type Cursor } from '../protocol/cursor.ts'
import type { ResetReason } from '../protocol/messages.ts'
import type { ReadPosition } from './client.ts'

/** Where a client is. Immutable: a step that fails halfway is undone by keeping the old one. */
export interface ClientCursor {
  readonly current: Cursor | undefined
  /** The cursor of the first hello, before which everything that the page read without a position was read. */
  readonly first: Cursor | undefined
}

export const NO_CURSOR: ClientCursor = { current: undefined, first: undefined }

/** The read position of data whose fetch begins now. */
export function readPosition(at: ClientCursor): ReadPosition {
  return { first: at.current === undefined, cursor: at.current }
}

/** The older of two read positions. */
export function olderRead(a: ReadPosition, b: ReadPosition, at: ClientCursor): ReadPosition {
  const cursor = a.cursor && b.cursor ? olderCursor(a.cursor, b.cursor, at.current ?? {}) : (a.cursor ?? b.cursor)
  return { first: a.first || b.first, cursor }
}

/** The cursor that a read position stands for. What it lacks is unknown, and older than anything. */
export function toCursor(read: ReadPosition, at: ClientCursor): Cursor {
  const first = read.first ? at.first : undefined
  if (!first || !read.cursor) return first ?? read.cursor ?? {}
  return olderCursor(first, read.cursor, at.current ?? {})
}

/** Whether what follows `start` holds everything that was missed since `from`. */
export function covers(start: Cursor, from: Cursor): boolean {
  return Object.keys(start).every((scope) => isAtOrBefore(start[scope], from[scope]))
}

/** Whether two cursors can be compared in every scope of the first. */
export function comparable(a: Cursor, b: Cursor): boolean {
  return Object.keys(a).every((scope) => isAtOrBefore(a[scope], b[scope]) || isAtOrBefore(b[scope], a[scope]))
}

/**
 * Where a stream has to start: per scope the smaller of the cursor and of all that was asked for and not answered. An `asked` position that
 * can't be compared with the cursor does not count; {@link covers} then tells that the hello did not answer it.
 */
export function resumeCursor(at: ClientCursor, asked: Iterable<ReadPosition>): Cursor {
  const start: Record<string, string> = { ...at.current }
  for (const read of asked) {
    for (const [scope, position] of Object.entries(toCursor(read, at))) {
      if (at.current ? isAtOrBefore(position, start[scope]) : !isAtOrBefore(start[scope], position))
        start[scope] = position
    }
  }
  // What does not fit comes back as a scope that was not sent, which is a doubt.
  return Object.fromEntries(Object.entries(start).slice(0, MAX_CURSOR_SCOPES))
}

/** A hello replaces the whole cursor, even backwards: the replay begins there. */
export function afterHello(at: ClientCursor, hello: Cursor): ClientCursor {
  return { current: hello, first: at.first ?? hello }
}

/** An invalidation or a heartbeat raises the scopes that have a position, within their epoch. */
export function raised(at: ClientCursor, to: Cursor): ClientCursor {
  const current = Object.entries(to).reduce(
    (cursor, [scope, position]) => raiseCursor(cursor, scope, position),
    at.current ?? {},
  )
  return { ...at, current }
}

/** A reset sets the scopes that it is about. */
export function afterReset(at: ClientCursor, scopes: readonly string[], to: Cursor): ClientCursor {
  const set = Object.entries(to).filter(([scope]) => scopes.includes(scope))
  return { ...at, current: { ...at.current, ...Object.fromEntries(set) } }
}

/**
 * The scopes of a hello whose past it does not account for, to be taken as reset.
 *
 * @param sent The cursor that the stream was asked to start at.
 * @param isLate Whether the hello came so late that the age sent with the request no longer reaches back to the page's load.
 */
export function doubtOf(
  at: ClientCursor,
  sent: Cursor,
  hello: Cursor,
  isLate: boolean,
): { readonly scopes: readonly string[]; readonly reason: ResetReason | 'late' } {
  const late: string[] = []
  const moved: string[] = []
  for (const [scope, position] of Object.entries(hello)) {
    // guard(late-hello): the server resolved the age when the request arrived; what changed between load and then is not in the replay, guarantee 1
    if (!at.first && isLate) late.push(scope)
    // guard(unsent-scope): its replay starts at the page's load, and a cache may hold data that are older, guarantee 3
    if (at.first && !(scope in sent)) late.push(scope)
    // guard(hello-ahead): the replay starts after, or in another epoch than, what this client has, guarantee 3
    if (scope in sent && !isAtOrBefore(position, sent[scope])) moved.push(scope)
  }
  return { scopes: [...new Set([...late, ...moved])], reason: late.length > 0 ? 'late' : 'epoch' }
}

/** False across epochs, which have no order, and for what is missing. */
function isAtOrBefore(a: string | undefined, b: string | undefined): boolean {
  const [left, right] = [parsePosition(a), parsePosition(b)]
  return left !== undefined && right !== undefined && left.epoch === right.epoch && left.seq <= right.seq
}
