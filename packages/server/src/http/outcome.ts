import type { EventSink, StreamSource } from '../hub/sink.ts'

/**
 * What a request came to, decided before the first byte. For adapter authors: `toResponse` and the Node bridge know what to do with it.
 */
export type Outcome = Answer | Stream

/** A complete response. */
export interface Answer {
  readonly kind: 'answer'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** `null`: no body. */
  readonly body: string | null
}

/** A stream that has its place but is not open yet. Call exactly one of `open` and `discard`. */
export interface Stream {
  readonly kind: 'stream'
  readonly status: 200
  readonly headers: Readonly<Record<string, string>>
  /** Starts writing to the sink. */
  open(sink: EventSink): StreamSource
  /** The client has left already. */
  discard(): void
}

const COMMON_HEADERS = {
  'cache-control': 'private, no-store, no-transform',
  'x-content-type-options': 'nosniff',
}

export const STREAM_HEADERS: Readonly<Record<string, string>> = {
  ...COMMON_HEADERS,
  'content-type': 'text/event-stream; charset=utf-8',
  // nginx would collect the stream in its buffers.
  'x-accel-buffering': 'no',
}

export function toAnswer(status: number, body: object | null, headers: Record<string, string> = {}): Answer {
  const type = body === null ? {} : { 'content-type': 'application/json; charset=utf-8' }
  return {
    kind: 'answer',
    status,
    headers: { ...COMMON_HEADERS, ...type, ...headers },
    body: body && JSON.stringify(body),
  }
}
