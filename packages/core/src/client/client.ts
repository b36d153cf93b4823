import type { Cursor } from '../protocol/cursor.ts'
import type { Receipt, ResetReason } from '../protocol/messages.ts'
import type { Scope } from '../protocol/scope.ts'
import type { PlainTag } from '../tags/tag.ts'

/** What a client shows of its connection. A lost connection is a state, never an error. Each value keeps its identity until it changes. */
export type ConnectionStatus =
  | { readonly state: 'connecting' }
  /** The stream is open and the server knows the latest invalidations. */
  | { readonly state: 'live' }
  /** The stream is open, but the server could not verify that it knows the latest invalidations. */
  | { readonly state: 'degraded'; readonly reason: 'unverified' }
  /** No stream; the next attempt is at `retryAt`, in milliseconds of the wall clock. */
  | { readonly state: 'waiting'; readonly reason: string; readonly retryAt: number }
  /** No attempt until the browser is online, the page is back, or something is bound to the client. */
  | { readonly state: 'paused'; readonly reason: 'offline' | 'hidden-page' | 'unbound' }
  | { readonly state: 'closed' }

/** Invalidated tags, as the client applies them. */
export interface Invalidation {
  /** Scope identity, as {@link Receipt.scope}. */
  readonly scope: string
  /** `epoch:seq` of the invalidation, of the last one when several were merged; `''` when it has no position, since it was not recorded. */
  readonly at: string
  readonly tags: readonly PlainTag[]
  /** Refetches may be spread over this many milliseconds. */
  readonly spreadMs: number
  readonly source: 'stream' | 'receipt'
}

/**
 * What is bound to a client, e.g. by `bindTags`. The client calls it synchronously and moves its cursor only after the call returned: an
 * effect that throws is an effect that did not happen, and the frame comes again.
 */
export interface Binding {
  /**
   * A hello arrived, and the cursor is set. Called before the frames that follow it. Whatever was asked before is answered now: by those frames,
   * or by an `onMissed` with `'expired'` that came first.
   */
  onHello(): void
  onInvalidate(invalidation: Invalidation): void
  /** Every tag of these scopes is to be taken as invalidated. */
  onReset(reset: {
    readonly scopes: readonly string[]
    readonly reason: ResetReason | 'late'
    readonly spreadMs: number
  }): void
  /**
   * What `added`, the tags of one watch request, missed since the oldest of the positions they were watched from; `'expired'`: all of them.
   *
   * @param at Where each missed tag was invalidated last, when the server says so: data that were read there or later missed nothing of it.
   */
  onMissed(added: readonly PlainTag[], missed: readonly PlainTag[] | 'expired', at?: readonly Cursor[]): void
  /** Whether a refetch that followed from one of these is under way, or about to be. Only tests wait for it. */
  isBusy?(): boolean
  /** Calls back whenever {@link isBusy} may have changed. Returns the function that ends it. */
  onActivity?(listener: () => void): () => void
}

/**
 * When data were read. `first` stands for the page's first position, the cursor of the first hello, which may not be known yet; with a
 * cursor beside it the older of the two counts.
 */
export interface ReadPosition {
  readonly first: boolean
  readonly cursor: Cursor | undefined
}

/** A client's side of one binding. */
export interface Attachment {
  /** The read position of data whose fetch begins now. */
  position(): ReadPosition
  /**
   * The cursor that is as old as the oldest of these positions and the current one: what a cache may be stored with. `undefined` before the first
   * hello.
   */
  cursorOf(positions: readonly ReadPosition[]): Cursor | undefined
  /**
   * Watches a tag, or widens what is asked for a tag that is watched already: the server answers what the tag missed since `from`, through
   * {@link Binding.onMissed}. Requests are batched for 100 ms.
   */
  watch(tag: PlainTag, from: ReadPosition): void
  unwatch(tag: PlainTag): void
  /**
   * Whether the server acknowledged this tag, nothing was asked for it since, and no remove is pending: an invalidation after the current
   * cursor can't be missed.
   */
  isWatched(tag: PlainTag): boolean
  /** Not live for longer than the watchdog takes to notice: whatever mounts now should fetch. */
  isBehind(): boolean
  /** Ends the binding, and the stream with it. The client keeps its cursor for the next one. */
  detach(): void
}

export interface AttachOptions {
  /** A wish for one scope, which the server has to confirm. */
  readonly scope?: Scope | undefined
  /**
   * Where the server was before anything on the page was read: the page came with it. The first stream then starts there, and not by the
   * page's age.
   */
  readonly pageCursor?: Cursor | undefined
}

/** A connection to one server, to be bound to one cache at a time. Made by `createHTTPInvalidatorClient` or `createInvalidatorClient`. */
export interface InvalidatorClient {
  readonly status: ConnectionStatus
  /** Calls the listener after each change of `status`. Returns the function that ends it. */
  subscribe(listener: () => void): () => void
  /**
   * Binds a cache; the stream opens in the next task. For binding authors: apps use `bindTags` or `TagInvalidationProvider`.
   *
   * @throws {QueryTagsError} `already-bound` while another binding is attached, `closed` after `close()`.
   */
  attach(binding: Binding, options?: AttachOptions): Attachment
  /** Applies the receipt of a change that this browser asked for, at once. It does not move the cursor. */
  applyReceipt(receipt: Receipt): void
  /** Ends the stream for good. */
  close(): void
}
