import { MAX_CURSOR_SCOPES, olderCursor, parsePosition, raiseCursor, type Cursor } from '../protocol/cursor.ts'
import type { ReadPosition } from './client.ts'

/** Where a client is. Immutable, so that a step that fails halfway is undone by keeping the old one. */
export interface ClientCursor {
  readonly current?: Cursor
  /** The page's first position: the cursor of the first hello. */
  readonly first?: Cursor
}

/** The cursor that a read position stands for. What it lacks is unknown, and older than anything. */
export function toCursor({ first, cursor }: ReadPosition, at: ClientCursor): Cursor {
  // guard(other-users-read): data of a user whose scopes are not ours, out of a store, may be of any age, guarantee 8
  if (cursor && !isOurs(cursor, at)) return {}
  const oldest = first ? at.first : undefined
  return oldest && cursor ? olderCursor(oldest, cursor, at.current ?? {}) : (oldest ?? cursor ?? {})
}

/** Whether every scope of it is one of this client. Nobody knows before the first hello. */
function isOurs(cursor: Cursor, { current }: ClientCursor): boolean {
  return !current || Object.keys(cursor).every((scope) => scope in current)
}

/** The older of two read positions. */
export function olderRead(a: ReadPosition, b: ReadPosition, at: ClientCursor): ReadPosition {
  // One that is neither first nor has a cursor is not known.
  const [left, right] = [a, b].map(({ first, cursor }) => cursor ?? (first ? undefined : {}))
  let cursor = left && right ? olderCursor(left, right, at.current ?? {}) : (left ?? right)
  // guard(mixed-users): a scope that only one of them has is left out, and with it that this one may be another user's, guarantee 8
  if (left && right && !haveSameUser(left, right, at)) cursor = {}
  return { first: a.first || b.first, cursor }
}

function haveSameUser(a: Cursor, b: Cursor, at: ClientCursor): boolean {
  if (at.current) return isOurs(a, at) && isOurs(b, at)
  return Object.keys(a).join() === Object.keys(b).join()
}

/** The cursor that a cache with data of these positions may be stored with. Unlike for a request, a scope that any of them lacks is left out. */
export function storableCursor(at: ClientCursor, positions: readonly ReadPosition[]): Cursor | undefined {
  const { current } = at
  return current && positions.reduce((cursor, read) => olderCursor(cursor, toCursor(read, at), current), current)
}

/** Whether data that were read at `from` have whatever comes up to `start`: what follows `start` is then all that they can have missed. */
export function covers(start: Cursor, from: Cursor): boolean {
  return Object.keys(start).every((scope) => isAtOrBefore(start[scope], from[scope]))
}

/** Whether data of this position were read after whatever was invalidated there. */
export function isReadAfter({ first, cursor }: ReadPosition, at: Cursor): boolean {
  // guard(first-read): the page's first position is not in the cursor, and may be older, guarantee 8
  if (first) return false
  return covers(at, cursor ?? {})
}

/**
 * Where a stream has to start: per scope the smaller of the cursor and of all that was asked for and not answered. What can't be compared
 * with the cursor does not count; the hello then does not {@link covers cover} it.
 */
export function resumeCursor(at: ClientCursor, asked: readonly ReadPosition[]): Cursor {
  const start: Record<string, string> = { ...at.current }
  for (const read of asked) {
    for (const [scope, position] of Object.entries(toCursor(read, at))) {
      // Before the first hello it is theirs to name the scopes, and the epochs.
      const isNew = !at.current && !start[scope]
      if (isNew || isAtOrBefore(position, start[scope])) start[scope] = position
    }
  }
  // What does not fit comes back as a scope that was not sent, which is a doubt.
  return Object.fromEntries(Object.entries(start).slice(0, MAX_CURSOR_SCOPES))
}

/**
 * The scopes of a hello of which the replay may not reach back to what this client has: they are to be taken as reset.
 *
 * @param sent The cursor that the stream was asked to start at.
 * @param isLate The age that was sent with the request no longer reaches back to the page's load.
 */
export function doubtfulScopes(at: ClientCursor, sent: Cursor, hello: Cursor, isLate: boolean): string[] {
  const doubtful = new Set<string>()
  for (const scope of Object.keys(hello)) {
    // guard(late-hello): the age was resolved when the request arrived, and what changed between load and then is not in the replay, guarantee 1
    if (!at.first && isLate) doubtful.add(scope)
    // guard(unsent-scope): its replay starts at the page's load, and a cache may hold data that are older, guarantee 3
    if (at.first && !sent[scope]) doubtful.add(scope)
    // guard(hello-ahead): the replay starts after the position that was sent, or in another epoch, guarantee 3
    if (sent[scope] && !isAtOrBefore(hello[scope], sent[scope])) doubtful.add(scope)
  }
  for (const scope of Object.keys(at.current ?? {})) {
    // Without any scope the registry is away.
    // guard(left-scope): by now this may be another user, or nobody, with the data of the one before, guarantee 8
    if (!hello[scope] && Object.keys(hello).length > 0) doubtful.add(scope)
  }
  return [...doubtful]
}

/**
 * A hello replaces the whole cursor, even backwards: the replay begins there. The first one is the page's first position, but for scopes in
 * doubt.
 */
export function afterHello(at: ClientCursor, hello: Cursor, doubtful: readonly string[]): ClientCursor {
  return { current: hello, first: at.first ?? pick(hello, (scope) => !doubtful.includes(scope)) }
}

/** A heartbeat or an invalidation raises the scopes that have a position, within their epoch. */
export function raised(at: ClientCursor, to: Cursor): ClientCursor {
  const current = Object.keys(to).reduce((cursor, scope) => raiseCursor(cursor, scope, to[scope]!), at.current ?? {})
  return { ...at, current }
}

/** A reset sets the scopes that it is about. */
export function afterReset(at: ClientCursor, scopes: readonly string[], to: Cursor): ClientCursor {
  return { ...at, current: { ...at.current, ...pick(to, (scope) => scopes.includes(scope)) } }
}

function pick(cursor: Cursor, isWanted: (scope: string) => boolean): Cursor {
  return Object.fromEntries(Object.entries(cursor).filter(([scope]) => isWanted(scope)))
}

/** False across epochs, which have no order, and for what is missing. */
function isAtOrBefore(a: string | undefined, b: string | undefined): boolean {
  const [left, right] = [parsePosition(a), parsePosition(b)]
  return !!left && left.epoch === right?.epoch && left.seq <= right.seq
}
