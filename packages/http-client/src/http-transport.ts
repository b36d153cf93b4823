import { QueryTagsError, readTags, type ErrorBody, type QueryTagsErrorCode, type WatchAnswer } from '@query-tags/core'
import { Refusal, type Transport } from '@query-tags/core/client'
import { readEventStream } from './read-event-stream.ts'

export interface HTTPTransportOptions {
  readonly basePath: string
  readonly headers?: HeadersOption | undefined
  readonly credentials?: RequestCredentials | undefined
  readonly fetch?: typeof globalThis.fetch | undefined
}

/** Request headers, or a function that makes them, called for every request. */
export type HeadersOption = HeadersInit | (() => HeadersInit | Promise<HeadersInit>)

const JSON_TYPE = 'application/json'

/** Streams over fetch, with requests beside them. */
export function createHTTPTransport(options: HTTPTransportOptions): Transport {
  return {
    async open(request, events, signal) {
      const response = await post(options, '', 'text/event-stream', request, signal)
      events.onActivity()
      await readEventStream(response.body!, events)
    },
    async watch(request, signal) {
      const response = await post(options, '/watch', JSON_TYPE, request, signal)
      return toWatchAnswer(await response.json())
    },
  }
}

/** Anything but 200 with the type that was asked for is a refusal: a redirect, a login page, an error of ours or of a proxy. */
async function post(
  { basePath, headers, credentials, fetch }: HTTPTransportOptions,
  path: string,
  accept: string,
  message: object,
  signal: AbortSignal,
): Promise<Response> {
  const base = basePath.replace(/\/+$/, '')
  if (!fetch && !globalThis.location && !/^https?:/i.test(base)) {
    throw new QueryTagsError(
      'invalid-option',
      `basePath (${basePath}) is relative, and there is no page here that it could be relative to; give an absolute URL`,
    )
  }
  const all = await toHeaders(headers)
  all.set('accept', accept)
  all.set('content-type', JSON_TYPE)
  const response = await (fetch ?? globalThis.fetch)(base + path, {
    method: 'POST',
    headers: all,
    body: JSON.stringify(message),
    // Another page's answer is not ours, and no answer of ours may be somebody else's.
    redirect: 'manual',
    cache: 'no-store',
    signal,
    ...(credentials && { credentials }),
  })
  const type = response.headers.get('content-type') ?? ''
  if (response.status !== 200 || !type.startsWith(accept)) throw await toRefusal(response, type)
  return response
}

async function toHeaders(headers: HeadersOption | undefined): Promise<Headers> {
  try {
    return new Headers(typeof headers === 'function' ? await headers() : headers)
  } catch (cause) {
    throw new QueryTagsError('invalid-option', `headers failed: ${String(cause)}`, { cause })
  }
}

async function toRefusal(response: Response, type: string): Promise<Refusal> {
  let code: QueryTagsErrorCode | undefined
  try {
    if (type.startsWith(JSON_TYPE)) code = ((await response.json()) as Partial<ErrorBody> | null)?.code
    else await response.body?.cancel()
  } catch {
    // The status has to do: a body that can't be read has no code of ours.
  }
  return new Refusal(response.status, code, toRetryAfterMs(response.headers.get('retry-after')))
}

/** `Retry-After` is in seconds, or a date. */
function toRetryAfterMs(header: string | null): number | undefined {
  if (!header) return undefined
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return ms > 0 ? ms : undefined
}

/** @throws {QueryTagsError} `malformed-message` */
function toWatchAnswer(body: unknown): WatchAnswer {
  const { n, tags, expired } = body as { n: number; tags: unknown; expired: unknown }
  if (expired === true) return { n, expired }
  const read = readTags(tags)
  if (!read) throw new QueryTagsError('malformed-message', 'Malformed watch answer')
  return { n, tags: read }
}
