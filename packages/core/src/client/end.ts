import { isQueryTagsError } from '../errors.ts'
import { Refusal } from './transport.ts'

/** Why a stream is over. */
export interface End {
  readonly reason: string
  /** The server ended it in order, or this client did. */
  readonly isClean?: boolean
  /** Trying again soon is of no use. */
  readonly isFinal?: boolean
  /** The server did not take its watch requests. */
  readonly isWatchRefused?: boolean
  /** Overrides what the server said last. */
  readonly retryMs?: number
  readonly retryAfterMs?: number | undefined
}

/** Our own refusals that time does not lift. Without our code it is somebody else's login page or gateway, and may be gone in a second. */
const FINAL = /^(40[13] (unauthorized|(scope|origin)-denied)|426 unsupported-version)$/

/** The end that an error of the transport, or a frame that can't be read, means. */
export function toEnd(error: unknown): End {
  if (error instanceof Refusal) {
    const { status, code, retryAfterMs } = error
    // A browser hides where a redirect that is not followed would have led, and its status.
    const answer = status === 0 ? 'redirect' : `http-${status}`
    return { reason: code ?? answer, isFinal: FINAL.test(`${status} ${code}`), retryAfterMs }
  }
  if (isQueryTagsError(error)) return { reason: error.code, isFinal: error.code === 'unsupported-version' }
  return { reason: 'network' }
}
