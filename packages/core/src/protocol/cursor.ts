import { isPlainObject } from '../json.ts'
import { isScopeId } from './scope.ts'

/**
 * A place in the log of one scope. `seq` strictly increases within an epoch and is never reused in it; a new epoch means that history was
 * lost, so positions of two epochs have no order.
 */
export interface Position {
  readonly epoch: string
  readonly seq: number
}

/** A client's positions in all its scopes: scope identity to `epoch:seq`. Opaque to apps. Treated as immutable. */
export type Cursor = { readonly [scopeId: string]: string }

/** Scopes in one cursor: the global scope and the 16 that `resolveScope` may return. */
export const MAX_CURSOR_SCOPES = 17

/** One text for each position: no leading zeros. */
const POSITION = /^([\w-]{1,64}):(0|[1-9]\d{0,15})$/

export function formatPosition(position: Position): string {
  return `${position.epoch}:${position.seq}`
}

/** The position in a string, or `undefined` when it is none. */
export function parsePosition(text: unknown): Position | undefined {
  const match = typeof text === 'string' ? POSITION.exec(text) : null
  if (!match) return undefined
  const seq = Number(match[2])
  return Number.isSafeInteger(seq) ? { epoch: match[1]!, seq } : undefined
}

/** A cursor from outside, checked, or `undefined` when it is none. */
export function readCursor(value: unknown): Cursor | undefined {
  if (!isPlainObject(value)) return undefined
  const entries = Object.entries(value)
  const valid = entries.every(([scopeId, position]) => isScopeId(scopeId) && parsePosition(position) !== undefined)
  return valid && entries.length <= MAX_CURSOR_SCOPES ? (value as Cursor) : undefined
}

/**
 * The cursor with one position raised. Nothing changes when it is there or passed already, nor when the cursor lacks the scope or has another
 * epoch of it: what lies between is not known, so only a hello or a reset may set it.
 */
export function raiseCursor(cursor: Cursor, scopeId: string, to: string): Cursor {
  const next = parsePosition(to)
  const held = parsePosition(cursor[scopeId])
  if (!next || held?.epoch !== next.epoch || held.seq >= next.seq) return cursor
  return { ...cursor, [scopeId]: to }
}

/**
 * The older of two positions of one scope. Where their epochs differ there is no order: the one that is not of the current epoch is
 * returned, since the server answers it with *expired*, never with a partial list. (When neither is, either does, and `a` is.)
 */
export function olderPosition(a: string, b: string, currentEpoch: string | undefined): string {
  const [left, right] = [parsePosition(a), parsePosition(b)]
  if (!left) return a
  if (!right) return b
  if (left.epoch !== right.epoch) return left.epoch === currentEpoch ? b : a
  return left.seq <= right.seq ? a : b
}

/**
 * Scope by scope the older position of two cursors. A scope that either lacks is left out: unknown is older than anything. So is one where
 * their epochs differ and the current one is not known: neither can be told to be of a lost epoch, and the other must not stand for it.
 */
export function olderCursor(a: Cursor, b: Cursor, current: Cursor): Cursor {
  if (a === b) return a
  const older: [string, string][] = []
  for (const scopeId of Object.keys(a)) {
    const [position, other] = [a[scopeId]!, b[scopeId]]
    if (other === undefined) continue
    const currentEpoch = parsePosition(current[scopeId])?.epoch
    if (currentEpoch === undefined && parsePosition(position)?.epoch !== parsePosition(other)?.epoch) continue
    older.push([scopeId, olderPosition(position, other, currentEpoch)])
  }
  return Object.fromEntries(older)
}
