import { QueryTagsError } from '../errors.ts'
import { decodeFrame } from '../protocol/decode.ts'
import type { Receipt } from '../protocol/messages.ts'
import { toScopeId } from '../protocol/scope.ts'
import { retryDelayMs } from './backoff.ts'
import type { Attachment, AttachOptions, Binding, ConnectionStatus, InvalidatorClient } from './client.ts'
import { storableCursor } from './client-cursor.ts'
import { elapsedMs, momentOf } from './clock.ts'
import type { End } from './end.ts'
import type { Environment, PageEvent } from './environment.ts'
import { silenceMs, Stream, type Memory, type StreamHost } from './stream.ts'
import type { Transport } from './transport.ts'
import { WatchList } from './watch-list.ts'

export interface ConnectionOptions {
  readonly transport: Transport
  readonly environment: Environment
  /**
   * Called with what went wrong in code that is not the connection's: a listener, a binding, an option such as `headers`.
   * @default console.warn
   */
  readonly onError?: ((error: unknown) => void) | undefined
}

const DEFAULT_HEARTBEAT_MS = 8_000
const DEFAULT_RETRY_MS = 1_000
/** Between attempts after an answer that will hardly change by itself: not signed in, not allowed, too old. */
const FINAL_RETRY_MS = 60_000
/** A `Retry-After` is respected up to this. */
const MAX_RETRY_AFTER_MS = 300_000
/** Two streams within this time whose watch requests were refused: the next one is of everything. */
const WATCH_REFUSED_MS = 60_000

/**
 * Connects a cache to a server over any transport. It opens a stream when something is attached and keeps it open; whatever breaks, it resumes
 * where it was.
 */
export function createConnection(options: ConnectionOptions): InvalidatorClient {
  return new Connection(options)
}

/** When streams open and end, and what is shown of it. What happens on one of them is in {@link Stream}. */
class Connection implements InvalidatorClient {
  readonly #environment: Environment
  readonly #transport: Transport
  readonly #onError: (error: unknown) => void
  readonly #watcher: string
  readonly #memory: Memory
  readonly #listeners = new Set<() => void>()
  #status: ConnectionStatus = { state: 'paused', reason: 'unbound' }
  #host: StreamHost | undefined
  #scopeId: string | undefined
  #stopPageEvents: (() => void) | undefined
  #stream: Stream | undefined
  /** The last connection. Sent until there is another; to a server that knows that it is over it says nothing. */
  #connection: string | undefined
  #cancelRetry: (() => void) | undefined
  /** No attempt before it, whatever the page says. */
  #notBefore = 0
  #watchRefusedAt = -Infinity
  #watchAll = false

  constructor({ environment, transport, onError = (error) => console.warn(error) }: ConnectionOptions) {
    this.#environment = environment
    this.#transport = transport
    this.#onError = onError
    this.#watcher = `w${environment.random().toString(36).slice(2)}`
    this.#memory = {
      cursor: {},
      heartbeatMs: DEFAULT_HEARTBEAT_MS,
      retryMs: DEFAULT_RETRY_MS,
      failures: 0,
      liveAt: momentOf(environment),
    }
  }

  get status(): ConnectionStatus {
    return this.#status
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  attach(binding: Binding, { scope, pageCursor }: AttachOptions = {}): Attachment {
    if (this.#status.state === 'closed') throw new QueryTagsError('closed', 'This client was closed; create another')
    if (this.#host)
      throw new QueryTagsError('already-bound', 'This client is bound; close that binding, or create another client')
    const environment = this.#environment
    const memory = this.#memory
    const scopeId = scope && toScopeId(scope)
    // guard(other-scope): the positions of another user, the first one too, say nothing about what this one has read, guarantee 8
    if (scopeId !== this.#scopeId) memory.cursor = {}
    this.#scopeId = scopeId
    if (!memory.cursor.first) memory.liveAt = momentOf(environment)
    const list = new WatchList(memory)
    const host: StreamHost = {
      environment,
      transport: this.#transport,
      binding,
      memory,
      list,
      watcher: this.#watcher,
      scope,
      pageCursor,
      onError: this.#onError,
      onState: () => this.#showState(),
      onEnd: (end) => this.#onEnd(end),
    }
    this.#host = host
    this.#stopPageEvents = environment.onPageEvent((event) => this.#onPageEvent(event))
    // In the next task: React's StrictMode mounts, unmounts and mounts, and the tags of the first render belong in the first watch list.
    this.#cancelRetry = environment.after(0, () => this.#open())
    this.#setStatus({ state: 'connecting' })
    const onListChange = (): void => {
      if (this.#host === host) this.#stream?.onListChange()
    }
    return {
      position: () => ({ first: !memory.cursor.current, cursor: memory.cursor.current }),
      cursorOf: (positions) => storableCursor(memory.cursor, positions),
      watch(tag, from) {
        list.watch(tag, from)
        onListChange()
      },
      unwatch(tag) {
        list.unwatch(tag)
        onListChange()
      },
      isWatched: (tag) => list.isWatched(tag),
      isBehind: () => elapsedMs(environment, memory.liveAt) > silenceMs(memory),
      detach: () => {
        if (this.#host === host) this.#unbind({ state: 'paused', reason: 'unbound' })
      },
    }
  }

  applyReceipt(receipt: Receipt): void {
    decodeFrame('invalidate', JSON.stringify(receipt))
    const { scope, at, tags } = receipt
    if (!at) throw new QueryTagsError('malformed-message', 'A receipt must have the position that it was recorded at')
    this.#host?.binding.onInvalidate({ scope, at, tags, spreadMs: 0, source: 'receipt' })
  }

  close(): void {
    this.#unbind({ state: 'closed' })
    this.#listeners.clear()
  }

  #unbind(status: ConnectionStatus): void {
    this.#stopPageEvents?.()
    this.#host = undefined
    this.#pause(status)
  }

  /** Ends the stream, or the wait for one. */
  #pause(status: ConnectionStatus): void {
    this.#cancelRetry?.()
    // No timer is left that would try again, so the page event that ends the pause has to.
    this.#notBefore = 0
    const stream = this.#stream
    this.#forgetStream()
    stream?.close()
    this.#setStatus(status)
  }

  #forgetStream(): void {
    this.#connection = this.#stream?.connection ?? this.#connection
    this.#stream = undefined
  }

  #open(): void {
    this.#cancelRetry?.()
    if (!this.#environment.isOnline()) return this.#pause({ state: 'paused', reason: 'offline' })
    this.#setStatus({ state: 'connecting' })
    // A listener may have ended the binding.
    if (!this.#host) return
    this.#stream = new Stream(this.#host)
    this.#stream.open(this.#watchAll, this.#connection)
  }

  #showState(): void {
    const { state } = this.#stream!
    this.#setStatus(state === 'degraded' ? { state, reason: 'unverified' } : { state })
  }

  #onEnd({ reason, isClean, isFinal, isWatchRefused, retryMs, retryAfterMs = 0 }: End): void {
    this.#forgetStream()
    const now = this.#environment.now()
    if (isWatchRefused) {
      this.#watchAll ||= now - this.#watchRefusedAt < WATCH_REFUSED_MS
      this.#watchRefusedAt = now
    }
    const failures = this.#memory.failures++ + (isClean ? 0 : 1)
    const pauseMs = Math.min(retryAfterMs, MAX_RETRY_AFTER_MS)
    this.#notBefore = now + pauseMs
    const delayMs = pauseMs + retryDelayMs(failures, retryMs ?? this.#memory.retryMs, this.#environment.random())
    this.#retry(isFinal ? Math.max(delayMs, FINAL_RETRY_MS) : delayMs, reason)
  }

  #retry(delayMs: number, reason: string): void {
    this.#cancelRetry = this.#environment.after(delayMs, () => this.#open())
    this.#setStatus({ state: 'waiting', reason, retryAt: this.#environment.wallNow() + delayMs })
  }

  #onPageEvent(event: PageEvent): void {
    if (event === 'offline') this.#pause({ state: 'paused', reason: event })
    else if (event === 'frozen') this.#pause({ state: 'paused', reason: 'hidden-page' })
    else if (this.#stream) this.#stream.checkSilence()
    else if (this.#environment.now() >= this.#notBefore) this.#open()
  }

  #setStatus(status: ConnectionStatus): void {
    if (JSON.stringify(status) === JSON.stringify(this.#status)) return
    this.#status = status
    for (const listener of this.#listeners) {
      try {
        listener()
      } catch (error) {
        this.#onError(error)
      }
    }
  }
}
