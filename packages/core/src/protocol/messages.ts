import type { Scope } from './scope.ts'
import type { Cursor } from './cursor.ts'
import type { PlainTag } from '../tags/tag.ts'
import type { QueryTagsErrorCode } from '../errors.ts'

/*
 * The wire, version 1. UTF-8 JSON. This file is its documentation; the bytes are pinned in test/wire/v1/.
 *
 *   GET  {base}          a stream of every tag of the caller's scopes. Plain EventSource and curl; `Last-Event-ID` resumes.
 *   POST {base}          StreamRequest -> a stream of the watched tags.
 *   POST {base}/watch    WatchRequest  -> WatchAnswer. Changes one watcher's tags on an open stream.
 *
 * A stream is `text/event-stream`: each event is `event: <name>`, `data: <one line of JSON>`, a blank line; `hello` and `heartbeat` also
 * carry `id: <cursor as ASCII JSON>`. A refusal is `ErrorBody` with the status that fits its code. Fields and events that a reader does not
 * know are ignored, so that a version can add some.
 */

export const PROTOCOL_VERSION = 1

/** Body of `POST {base}`. */
export interface StreamRequest {
  readonly v: number
  /** A wish: the server answers 403 `scope-denied` unless it resolves the caller to this scope. */
  readonly scope?: Scope
  /** Where to resume. Scopes that are absent start `ageMs` ago. */
  readonly cursor?: Cursor
  /** Milliseconds since the page began to load, plus slack. A duration, so that no two clocks are compared. */
  readonly ageMs: number
  /** The client has data of which it knows no cursor: scopes in the cursor, too, start at `ageMs` ago if that is older. */
  readonly first?: boolean
  /** Names this watch list on the connection; chosen by the client, at most 64 word characters. */
  readonly watcher: string
  /** The tags that the stream is about, or `'*'` for all of the caller's scopes. */
  readonly watch: readonly PlainTag[] | '*'
  /** A connection of this client that is dead to it; the server closes it if it is of the same scopes. */
  readonly replaces?: string
}

/** Body of `POST {base}/watch`. */
export interface WatchRequest {
  readonly connection: string
  readonly watcher: string
  /** 1, 2, 3 … per watcher and connection. A number seen before changes nothing, and is answered anew. */
  readonly n: number
  readonly add: readonly PlainTag[]
  readonly remove: readonly PlainTag[]
  /** The oldest position of the data that the added tags are for. A scope that is absent is answered with `expired`. */
  readonly from: Cursor
}

/** What the added tags missed since `from`; with `expired` the server can't say, and all of them have to be taken as invalidated. */
export type WatchAnswer =
  | {
      readonly n: number
      readonly tags: readonly PlainTag[]
      /** Where each of them was invalidated last since `from`, in every scope where it was. Data that were read there or later have it. */
      readonly at?: readonly Cursor[]
    }
  | { readonly n: number; readonly expired: true }

/** First event of a stream. */
export interface HelloFrame {
  readonly v: number
  /** 128 random bits that name the connection in {@link WatchRequest}. */
  readonly connection: string
  /** The position *before* the replay that follows. A scope that could not be resolved is absent; only a `reset` brings it. */
  readonly cursor: Cursor
  readonly heartbeatMs: number
  /** Upper bound of the random delay before the first reconnect. */
  readonly retryMs: number
  /** Whether this system resolves scopes per caller. */
  readonly scoped: boolean
}

/** These tags of one scope were invalidated. Sent whole; a client ignores tags that it does not hold. */
export interface InvalidateFrame {
  readonly scope: string
  /**
   * Position of this invalidation; of the last one when several were merged. Absent when the registry could not take it: the server tells
   * whom it can, the client applies the tags, and its cursor stays where it is.
   */
  readonly at?: string
  readonly tags: readonly PlainTag[]
  /** Refetches may be spread at random over this many milliseconds. */
  readonly spreadMs?: number
}

/** Everything up to `cursor` was written earlier on this stream, or matched none of its tags. */
export interface HeartbeatFrame {
  readonly cursor: Cursor
  /** False when the server could not check with its registry that it knows the latest position. */
  readonly verified: boolean
  readonly retryMs: number
}

/** Why a client has to take every tag of some scopes as invalidated. */
export type ResetReason =
  /** The position is below the floor, or older than the epoch. */
  | 'expired'
  /** The position is of another epoch: history was lost, or the client came from another registry. */
  | 'epoch'
  /** The position is ahead of the registry's own. */
  | 'ahead'
  /** More was missed than is worth listing. */
  | 'too-many'
  /** This reader was too slow. */
  | 'overflow'
  /** The registry could not answer before, and can now. */
  | 'recovered'

/** Every tag of these scopes is to be taken as invalidated; the client then is at `cursor`. */
export interface ResetFrame {
  readonly scopes: readonly string[]
  readonly cursor: Cursor
  readonly reason: ResetReason
  readonly spreadMs: number
}

export type ByeReason = 'reauthorize' | 'shutdown' | 'replaced' | 'slow'

/** The server ends the stream; come back within `retryMs`, at random. May come in place of `hello`. */
export interface ByeFrame {
  readonly reason: ByeReason
  readonly retryMs: number
}

export interface Frames {
  readonly hello: HelloFrame
  readonly invalidate: InvalidateFrame
  readonly heartbeat: HeartbeatFrame
  readonly reset: ResetFrame
  readonly bye: ByeFrame
}

/** An event of the stream: `{ event: 'hello', … }` and so on. */
export type Frame = { [K in keyof Frames]: { readonly event: K; readonly data: Frames[K] } }[keyof Frames]

/** Body of every refusal. */
export interface ErrorBody {
  readonly code: QueryTagsErrorCode
  readonly message: string
}

/** What `invalidateTags` resolves with. A response may carry it to the client that asked for the change, for `client.applyReceipt`. */
export interface Receipt {
  readonly scope: string
  readonly at: string
  readonly tags: readonly PlainTag[]
}
