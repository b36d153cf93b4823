import { QueryTagsError } from '../errors.ts'
import { decodeFrame } from '../protocol/decode.ts'
import type { Receipt } from '../protocol/messages.ts'
import { toScopeId, type Scope } from '../protocol/scope.ts'
import { retryDelayMs } from './backoff.ts'
import type { Attachment, Binding, ConnectionStatus, InvalidatorClient } from './client.ts'
import { NO_CURSOR, readPosition } from './client-cursor.ts'
import { elapsedMs, momentOf } from './clock.ts'
import type { End } from './end.ts'
import type { Environment, PageEvent } from './environment.ts'
import { silenceMs, Stream, type Memory } from './stream.ts'
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

/** When streams open and end, and what is shown of it. What happens on one stream is in {@link Stream}. */
class Connection implements InvalidatorClient {
  readonly #environment: Environment
  readonly #transport: Transport
  readonly #reportError: (error: unknown) => void
  readonly #watcher: string
  readonly #memory: Memory
  readonly #listeners = new Set<() => void>()
  #status: ConnectionStatus = { state: 'paused', reason: 'unbound' }

  #bound: { readonly binding: Binding; readonly list: WatchList; readonly stopPageEvents: () => void } | undefined
  #scope: Scope | undefined
  #stream: Stream | undefined
  #replaces: string | undefined
  #cancelRetry: (() => void) | undefined
  #mayHurry = true
  #failures = 0
  #watchRefusedAt: number | undefined
  #watchAll = false

  constructor({ environment, transport, onError = (error) => console.warn('query-tags:', error) }: ConnectionOptions) {
    this.#environment = environment
    this.#transport = transport
    this.#reportError = onError
    this.#watcher = `w${environment.random().toString(36).slice(2)}`
    this.#memory = {
      cursor: NO_CURSOR,
      heartbeatMs: DEFAULT_HEARTBEAT_MS,
      retryMs: DEFAULT_RETRY_MS,
      liveAt: momentOf(environment),
    }
  }

  get status(): ConnectionStatus {
    return this.#status
  }

  subscribe(listener: () => void): () => void {
    // A listener that subscribes twice is called twice.
    const own = (): void => listener()
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  attach(binding: Binding, { scope }: { scope?: Scope | undefined } = {}): Attachment {
    if (this.#status.state === 'closed')
      throw new QueryTagsError('closed', 'This client was closed; create another one')
    if (this.#bound) {
      throw new QueryTagsError(
        'already-bound',
        'This client is bound to a cache; close that binding first, or create a client for each',
      )
    }
    const scopeId = scope && toScopeId(scope)
    const memory = this.#memory
    // guard(other-scope): the positions and the first position of another user say nothing about what this one has read, guarantee 8
    if (scopeId !== (this.#scope && toScopeId(this.#scope))) memory.cursor = NO_CURSOR
    this.#scope = scope
    const list = new WatchList()
    this.#bound = { binding, list, stopPageEvents: this.#environment.onPageEvent((event) => this.#onPageEvent(event)) }
    if (!memory.cursor.first) memory.liveAt = momentOf(this.#environment)
    // In the next task: React's StrictMode mounts, unmounts and mounts, and the tags of the first render belong in the first watch list.
    this.#cancelRetry = this.#environment.after(0, () => this.#open())
    this.#setStatus({ state: 'connecting' })
    const isBound = (): boolean => this.#bound?.list === list
    return {
      position: () => readPosition(memory.cursor),
      watch: (tag, from) => {
        list.watch(tag, from, memory.cursor)
        if (isBound()) this.#stream?.onListChange()
      },
      unwatch: (tag) => {
        list.unwatch(tag)
        if (isBound()) this.#stream?.onListChange()
      },
      isWatched: (tag) => list.isWatched(tag),
      isBehind: () => elapsedMs(this.#environment, memory.liveAt) > silenceMs(memory),
      detach: () => {
        if (isBound()) this.#unbind({ state: 'paused', reason: 'unbound' })
      },
    }
  }

  applyReceipt(receipt: Receipt): void {
    decodeFrame('invalidate', JSON.stringify(receipt))
    const { scope, at, tags } = receipt
    this.#bound?.binding.onInvalidate({ scope, at, tags, spreadMs: 0, source: 'receipt' })
  }

  close(): void {
    this.#unbind({ state: 'closed' })
    this.#listeners.clear()
  }

  #unbind(status: ConnectionStatus): void {
    this.#bound?.stopPageEvents()
    this.#bound = undefined
    this.#pause(status)
  }

  /** Ends the stream, or the wait for one. */
  #pause(status: ConnectionStatus): void {
    this.#cancelRetry?.()
    this.#mayHurry = true
    this.#forgetStream()?.close()
    this.#setStatus(status)
  }

  #forgetStream(): Stream | undefined {
    const stream = this.#stream
    this.#stream = undefined
    // Sent until another stream is open. To a server that knows that it is gone it says nothing.
    this.#replaces = stream?.connection ?? this.#replaces
    return stream
  }

  #open(): void {
    this.#cancelRetry?.()
    if (!this.#environment.isOnline()) return this.#pause({ state: 'paused', reason: 'offline' })
    this.#setStatus({ state: 'connecting' })
    // A listener may have closed the client.
    if (!this.#bound) return
    const { binding, list } = this.#bound
    const stream = new Stream({
      environment: this.#environment,
      transport: this.#transport,
      watcher: this.#watcher,
      memory: this.#memory,
      list,
      binding,
      onError: this.#reportError,
      onState: () => this.#show(stream.state),
      onEnd: (end) => this.#onEnd(stream, end),
    })
    this.#stream = stream
    stream.open({ scope: this.#scope, watchAll: this.#watchAll, replaces: this.#replaces })
  }

  #show(state: Stream['state']): void {
    this.#setStatus(state === 'degraded' ? { state, reason: 'unverified' } : { state })
  }

  #onEnd(stream: Stream, end: End): void {
    this.#forgetStream()
    if (stream.wasHealthy) this.#failures = 0
    if (end.isWatchRefused) this.#onWatchRefused()
    const failures = this.#failures++ + (end.isClean ? 0 : 1)
    const retryAfterMs = Math.min(end.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS)
    const retryMs = end.retryMs ?? this.#memory.retryMs
    const delayMs = retryAfterMs + retryDelayMs(failures, retryMs, this.#environment.random())
    this.#mayHurry = retryAfterMs === 0
    this.#retry(end.isFinal ? Math.max(delayMs, FINAL_RETRY_MS) : delayMs, end.reason)
  }

  #onWatchRefused(): void {
    const now = this.#environment.now()
    this.#watchAll ||= this.#watchRefusedAt !== undefined && now - this.#watchRefusedAt < WATCH_REFUSED_MS
    this.#watchRefusedAt = now
  }

  #retry(delayMs: number, reason: string): void {
    this.#cancelRetry = this.#environment.after(delayMs, () => this.#open())
    this.#setStatus({ state: 'waiting', reason, retryAt: this.#environment.wallNow() + delayMs })
  }

  #onPageEvent(event: PageEvent): void {
    if (event === 'offline') this.#pause({ state: 'paused', reason: 'offline' })
    else if (event === 'frozen') this.#pause({ state: 'paused', reason: 'hidden-page' })
    else if (this.#stream) this.#stream.checkSilence()
    else if (this.#mayHurry) this.#open()
  }

  #setStatus(status: ConnectionStatus): void {
    if (JSON.stringify(status) === JSON.stringify(this.#status)) return
    this.#status = status
    for (const listener of this.#listeners) {
      try {
        listener()
      } catch (error) {
        this.#reportError(error)
      }
    }
  }
}
