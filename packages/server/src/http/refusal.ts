import type { ErrorBody, QueryTagsErrorCode } from '@query-tags/core'
import type { Clock } from '../clock.ts'
import { toAnswer, type Answer } from './outcome.ts'

/** The codes that travel over HTTP. */
export type RefusalCode = Extract<
  QueryTagsErrorCode,
  | 'malformed-message'
  | 'unauthorized'
  | 'scope-denied'
  | 'origin-denied'
  | 'not-found'
  | 'method-not-allowed'
  | 'timeout'
  | 'not-here'
  | 'too-large'
  | 'unsupported-media-type'
  | 'unsupported-version'
  | 'too-many-requests'
  | 'internal'
  | 'unavailable'
>

const STATUS: Record<RefusalCode, number> = {
  'malformed-message': 400,
  unauthorized: 401,
  'scope-denied': 403,
  'origin-denied': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  timeout: 408,
  'not-here': 409,
  'too-large': 413,
  'unsupported-media-type': 415,
  'unsupported-version': 426,
  'too-many-requests': 429,
  internal: 500,
  unavailable: 503,
}

export const REFUSAL_CODES: readonly RefusalCode[] = Object.keys(STATUS) as RefusalCode[]

const MIN_RETRY_AFTER_S = 5
const MAX_RETRY_AFTER_S = 30

/** A request that is not served. The message is public: nothing of the application's may be in it. */
export class Refusal extends Error {
  readonly code: RefusalCode
  readonly headers: Record<string, string>

  constructor(code: RefusalCode, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.name = 'Refusal'
    this.code = code
    this.headers = headers
  }

  get status(): number {
    return STATUS[this.code]
  }

  get body(): ErrorBody {
    return { code: this.code, message: this.message }
  }
}

/** Those who were refused for lack of room come back spread over a while, unless the refusal says otherwise. */
export function toRefusalAnswer(refusal: Refusal, clock: Clock): Answer {
  const { status, body, headers } = refusal
  if (status !== 429 && status !== 503) return toAnswer(status, body, headers)
  const seconds = MIN_RETRY_AFTER_S + Math.floor(clock.random() * (MAX_RETRY_AFTER_S - MIN_RETRY_AFTER_S + 1))
  return toAnswer(status, body, { 'retry-after': String(seconds), ...headers })
}
