import { QueryTagsError, type QueryTagsErrorCode } from '../errors.ts'
import { readCursor, type Cursor } from '../protocol/cursor.ts'
import { readTags } from '../protocol/decode.ts'
import type { StreamRequest, WatchAnswer, WatchRequest } from '../protocol/messages.ts'

/** How a connection reaches its server. `http-client` has the one over fetch. */
export interface Transport {
  /**
   * Opens a stream and settles when it is over: resolves at its end, rejects with a {@link Refusal} when it was refused, or with whatever
   * broke it. Rejects at once when aborted.
   */
  open(request: StreamRequest, events: StreamEvents, signal: AbortSignal): Promise<void>
  /** Sends one watch request. Rejects with a {@link Refusal} when it was refused. */
  watch(request: WatchRequest, signal: AbortSignal): Promise<WatchAnswer>
}

export interface StreamEvents {
  /** An event of the stream, in order. */
  onEvent(event: string, data: string): void
  /** Bytes arrived, whatever they were. The watchdog counts on it. */
  onActivity(): void
}

/**
 * The answer to a watch request, once it is known to be one.
 *
 * @throws {QueryTagsError} `malformed-message`
 */
export function readWatchAnswer(body: unknown): WatchAnswer {
  const answer = body as { n: number; tags?: unknown; at?: unknown; expired?: unknown } | null | undefined
  if (answer?.expired === true) return { n: answer.n, expired: true }
  const tags = readTags(answer?.tags)
  if (!answer || !tags) throw new QueryTagsError('malformed-message', 'Malformed watch answer')
  const { n, at } = answer
  return isListOfPlaces(at, tags.length) ? { n, tags, at } : { n, tags }
}

function isListOfPlaces(at: unknown, count: number): at is readonly Cursor[] {
  if (!Array.isArray(at) || at.length !== count) return false
  // guard(nowhere): what was invalidated in no place that can be read is newer than any data, guarantee 1
  if (at.some((cursor) => Object.keys(readCursor(cursor) ?? {}).length === 0)) return false
  return true
}

/** The server, or something before it, answered with something other than what was asked for. */
export class Refusal extends Error {
  readonly status: number
  /** The code of our own error body; `undefined` when the answer is not ours (a proxy, a login page). */
  readonly code: QueryTagsErrorCode | undefined
  /** From `Retry-After`. */
  readonly retryAfterMs: number | undefined

  constructor(status: number, code?: QueryTagsErrorCode, retryAfterMs?: number) {
    super(`refused with status ${status}${code ? ` (${code})` : ''}`)
    this.name = 'Refusal'
    this.status = status
    this.code = code
    this.retryAfterMs = retryAfterMs
  }
}
