import type { Cursor } from './cursor.ts'
import type { Frames } from './messages.ts'

/**
 * One event as it goes on the stream: the only writer of this format. The data is one line whatever the strings in it hold, since JSON
 * escapes CR, LF, NUL and lone surrogates.
 */
export function encodeFrame<K extends keyof Frames>(event: K, data: Frames[K]): string {
  const hasId = event === 'hello' || event === 'heartbeat'
  return encodeEvent(event, JSON.stringify(data), hasId ? (data as Frames['hello' | 'heartbeat']).cursor : undefined)
}

/**
 * An `invalidate` frame from tags that are canonical JSON already (see `toTagKey`), so that they are not encoded a second time. Without
 * `at`, without `spreadMs`, or with 0, the frame has none.
 */
export function encodeInvalidate(
  scope: string,
  at: string | undefined,
  tagKeys: readonly string[],
  spreadMs?: number,
): string {
  const position = at === undefined ? '' : `"at":${JSON.stringify(at)},`
  const spread = spreadMs ? `,"spreadMs":${spreadMs}` : ''
  return encodeEvent('invalidate', `{"scope":${JSON.stringify(scope)},${position}"tags":[${tagKeys.join()}]${spread}}`)
}

/** A cursor as an event ID. ASCII, because HTTP headers such as `Last-Event-ID` are. */
export function encodeCursor(cursor: Cursor): string {
  return JSON.stringify(cursor).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function encodeEvent(event: string, json: string, id?: Cursor): string {
  return `event: ${event}\n${id ? `id: ${encodeCursor(id)}\n` : ''}data: ${json}\n\n`
}
