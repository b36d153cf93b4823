import { QueryTagsError, type ErrorBody } from '@query-tags/core'
import { readWatchAnswer, Refusal, type Transport } from '@query-tags/core/client'
import { createEventReader } from './event-reader.ts'

/** Request headers, or a function that makes them, called for every request. */
export type HeadersOption = HeadersInit | (() => HeadersInit | Promise<HeadersInit>)

export interface HTTPTransportOptions {
  /** Where the server's handler is mounted: a path of the page's origin, or an absolute URL. */
  readonly basePath: string
  readonly headers?: HeadersOption | undefined
  readonly credentials?: RequestCredentials | undefined
  readonly fetch?: typeof globalThis.fetch | undefined
}

const JSON_TYPE = 'application/json'
const CONTENT_TYPE = 'content-type'

/**
 * Streams over fetch, with requests beside them: for clients that send some of it another way, on `createConnection` of core/client. Apps use
 * `createHTTPInvalidatorClient`. A signal that aborts frees the socket, whatever was read of the answer. */
export function createHTTPTransport(options: HTTPTransportOptions): Transport {
  return {
    async open(request, events, signal) {
      const response = await post(options, '', 'text/event-stream', request, signal)
      const body = response.body!.getReader()
      // Bytes that are no text are a doubt, not a question mark.
      const decoder = new TextDecoder('utf-8', { fatal: true })
      const reader = createEventReader((event, data) => events.onEvent(event, data))
      for (;;) {
        events.onActivity()
        const { done, value } = await body.read()
        if (done) return
        reader.feed(decoder.decode(value, { stream: true }))
      }
    },
    async watch(request, signal) {
      const response = await post(options, '/watch', JSON_TYPE, request, signal)
      return readWatchAnswer(await response.json())
    },
  }
}

/** Anything but 200 with the type that was asked for is a refusal: a redirect, a login page, an error of ours or of a proxy. */
async function post(
  options: HTTPTransportOptions,
  path: string,
  accept: string,
  message: object,
  signal: AbortSignal,
): Promise<Response> {
  const { basePath, credentials, fetch = globalThis.fetch } = options
  const headers = await toHeaders(options, accept)
  const response = await fetch(basePath.replace(/\/*$/, path), {
    method: 'POST',
    headers,
    body: JSON.stringify(message),
    // Another page's answer is not ours, and no answer of ours is for anybody else.
    redirect: 'manual',
    cache: 'no-store',
    signal,
    ...(credentials && { credentials }),
  })
  const type = response.headers.get(CONTENT_TYPE) ?? ''
  if (response.status === 200 && type.startsWith(accept)) return response
  throw await toRefusal(response, type)
}

async function toRefusal(response: Response, type: string): Promise<Refusal> {
  // A body that can't be read has no code of ours; the status has to do.
  const body = type.startsWith(JSON_TYPE) ? await response.json().catch(() => null) : null
  const retryAfter = response.headers.get('retry-after') ?? ''
  const retryAfterMs = Number(retryAfter) * 1000 || Date.parse(retryAfter) - Date.now()
  // Not a number when there is none, and below zero for a date that has passed.
  return new Refusal(
    response.status,
    (body as Partial<ErrorBody> | null)?.code,
    retryAfterMs > 0 ? retryAfterMs : undefined,
  )
}

/** @throws {QueryTagsError} `invalid-option`: what the app gave us is not the network's fault. */
async function toHeaders({ basePath, headers, fetch }: HTTPTransportOptions, accept: string): Promise<Headers> {
  try {
    if (!fetch && !globalThis.location && !/^\w+:/.test(basePath)) {
      throw new Error(`basePath "${basePath}" must be an absolute URL here`)
    }
    const all = new Headers(typeof headers === 'function' ? await headers() : headers)
    all.set('accept', accept)
    all.set(CONTENT_TYPE, JSON_TYPE)
    return all
  } catch (cause) {
    throw new QueryTagsError('invalid-option', `Can't send: ${String(cause)}`, { cause })
  }
}
