import type { StreamEvents, Transport } from '../../src/client/transport.ts'
import type { Frames, StreamRequest, WatchAnswer, WatchRequest } from '../../src/protocol/messages.ts'

export const GLOBAL = '["global",null]'
export const USER = '["user","7"]'

interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

function defer<T>(): Deferred<T> {
  let [resolve, reject]: [Deferred<T>['resolve'], Deferred<T>['reject']] = [() => {}, () => {}]
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

/** One stream that was asked for. The test is its server. */
export class ScriptedStream {
  readonly request: StreamRequest
  readonly signal: AbortSignal
  readonly #events: StreamEvents
  /** The stream is over: resolves as at its end, rejects as when it breaks. */
  readonly end: () => void
  readonly fail: (error: unknown) => void

  constructor(request: StreamRequest, events: StreamEvents, signal: AbortSignal, ends: Deferred<void>) {
    this.request = request
    this.signal = signal
    this.#events = events
    this.end = ends.resolve
    this.fail = ends.reject
  }

  get isAborted(): boolean {
    return this.signal.aborted
  }

  bytes(): void {
    this.#events.onActivity()
  }

  send<K extends keyof Frames>(event: K, data: Frames[K]): void {
    this.raw(event, JSON.stringify(data))
  }

  raw(event: string, data: string): void {
    this.#events.onActivity()
    this.#events.onEvent(event, data)
  }

  hello(data: Partial<Frames['hello']> = {}): void {
    const cursor = { [GLOBAL]: 'e:100' }
    const fields = { v: 1, connection: 'c1', cursor, heartbeatMs: 8000, retryMs: 1000, scoped: false }
    this.send('hello', { ...fields, ...data })
  }

  heartbeat(cursor: Frames['heartbeat']['cursor'], verified = true): void {
    this.send('heartbeat', { cursor, verified, retryMs: 1000 })
  }

  invalidate(at: string, ...tags: string[]): void {
    this.send('invalidate', { scope: GLOBAL, at, tags: tags.map((tag) => [tag] as const) })
  }

  reset(cursor: Frames['reset']['cursor'], reason: Frames['reset']['reason'] = 'expired'): void {
    this.send('reset', { scopes: Object.keys(cursor), cursor, reason, spreadMs: 0 })
  }
}

/** One watch request. */
export interface ScriptedWatch {
  readonly request: WatchRequest
  readonly signal: AbortSignal
  readonly answer: (answer: WatchAnswer) => void
  readonly fail: (error: unknown) => void
}

/** A network without a network: the test sees each request and plays the server. */
export class ScriptedTransport implements Transport {
  readonly streams: ScriptedStream[] = []
  readonly watches: ScriptedWatch[] = []

  open(request: StreamRequest, events: StreamEvents, signal: AbortSignal): Promise<void> {
    const ends = defer<void>()
    signal.addEventListener('abort', () => ends.reject(signal.reason))
    this.streams.push(new ScriptedStream(structuredClone(request), events, signal, ends))
    return ends.promise
  }

  watch(request: WatchRequest, signal: AbortSignal): Promise<WatchAnswer> {
    const { promise, resolve, reject } = defer<WatchAnswer>()
    signal.addEventListener('abort', () => reject(signal.reason))
    this.watches.push({ request: structuredClone(request), signal, answer: resolve, fail: reject })
    return promise
  }
}
