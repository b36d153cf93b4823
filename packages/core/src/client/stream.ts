import { isQueryTagsError, QueryTagsError } from '../errors.ts'
import type { Cursor } from '../protocol/cursor.ts'
import { decodeFrame } from '../protocol/decode.ts'
import { PROTOCOL_VERSION, type Frame, type HelloFrame, type StreamRequest } from '../protocol/messages.ts'
import type { Scope } from '../protocol/scope.ts'
import type { Binding } from './client.ts'
import {
  afterHello,
  afterReset,
  covers,
  doubtOf,
  raised,
  resumeCursor,
  toCursor,
  type ClientCursor,
} from './client-cursor.ts'
import { elapsedMs, momentOf, type Moment } from './clock.ts'
import { toEnd, type End } from './end.ts'
import type { Environment } from './environment.ts'
import type { Transport } from './transport.ts'
import type { WatchList } from './watch-list.ts'
import { WatchRequests } from './watch-requests.ts'
import { Watchdog } from './watchdog.ts'

/** How far back a first request reaches beyond the page's load, and so how late its hello may come. */
const SLACK_MS = 30_000
/** Without a byte, an attempt is given up after this. */
const OPEN_MS = 20_000
/** A stream that lived this long was healthy. */
const HEALTHY_MS = 1_000
const HEARTBEATS_TO_DEATH = 2.5

/** What a client remembers from one stream to the next. */
export interface Memory {
  cursor: ClientCursor
  heartbeatMs: number
  retryMs: number
  /** When it last knew that it was live. */
  liveAt: Moment
}

export interface StreamHost {
  readonly environment: Environment
  readonly transport: Transport
  readonly watcher: string
  readonly memory: Memory
  readonly list: WatchList
  readonly binding: Binding
  readonly onError: (error: unknown) => void
  /** The stream's `state` may have changed. */
  readonly onState: () => void
  /** It ended by itself. Nothing is called after it. */
  readonly onEnd: (end: End) => void
}

export interface StreamOptions {
  readonly scope: Scope | undefined
  readonly watchAll: boolean
  /** The previous connection, when the server may not know yet that it is dead. */
  readonly replaces: string | undefined
}

/** How long a stream may be silent before it counts as dead. */
export function silenceMs(memory: Memory): number {
  return memory.heartbeatMs * HEARTBEATS_TO_DEATH
}

/** One attempt at a stream, from the request to its end. Applies its frames in order, and moves the client's cursor after each. */
export class Stream {
  readonly #host: StreamHost
  readonly #abort = new AbortController()
  readonly #watchdog: Watchdog
  readonly #startedAt: Moment
  #sent: Cursor = {}
  #helloAt: Moment | undefined
  #requests: WatchRequests | undefined
  /** Scopes that were sent and not resolved: a reset is still to bring them. */
  readonly #unresolved = new Set<string>()
  #isVerified = false
  #isOver = false
  /** Names the stream to the server, from hello on. */
  connection: string | undefined

  constructor(host: StreamHost) {
    this.#host = host
    this.#startedAt = momentOf(host.environment)
    this.#watchdog = new Watchdog(host.environment, () => this.#end({ reason: 'timeout' }))
  }

  /** To be called once, at once. */
  open(options: StreamOptions): void {
    const { environment, transport, memory, list, watcher, onError } = this.#host
    this.#watchdog.start(Math.max(OPEN_MS, silenceMs(memory)))
    const { watch, asks } = list.open(options.watchAll)
    const asked = asks.map((ask) => ask.from)
    this.#sent = resumeCursor(memory.cursor, asked)
    const request: StreamRequest = {
      v: PROTOCOL_VERSION,
      ...(options.scope && { scope: options.scope }),
      cursor: this.#sent,
      ageMs: Math.ceil(elapsedMs(environment, environment.loadedAt)) + SLACK_MS,
      ...(!memory.cursor.first && { first: true }),
      watcher,
      watch,
      ...(options.replaces && { replaces: options.replaces }),
    }
    const events = {
      onEvent: (event: string, data: string) => this.#onEvent(event, data),
      onActivity: () => this.#onActivity(),
    }
    transport.open(request, events, this.#abort.signal).then(
      () => this.#end({ reason: 'ended', isClean: this.#helloAt !== undefined }),
      (error: unknown) => {
        // Not the network's fault, such as an option that can't be right: somebody has to see it.
        if (!this.#isOver && isQueryTagsError(error)) onError(error)
        this.#end(toEnd(error))
      },
    )
  }

  get state(): 'connecting' | 'live' | 'degraded' {
    if (!this.#helloAt) return 'connecting'
    return this.#isVerified && this.#unresolved.size === 0 ? 'live' : 'degraded'
  }

  /** Whether it lived long enough to say that nothing is wrong with the server. */
  get wasHealthy(): boolean {
    return this.#helloAt !== undefined && elapsedMs(this.#host.environment, this.#helloAt) >= HEALTHY_MS
  }

  /** Looks at once whether the stream went silent. */
  checkSilence(): void {
    this.#watchdog.check()
  }

  /** To be called after each change of the watch list. */
  onListChange(): void {
    this.#requests?.schedule()
  }

  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#watchdog.stop()
    this.#requests?.stop()
    this.#host.list.lose(this.#host.memory.cursor)
    this.#abort.abort()
  }

  #end(end: End): void {
    if (this.#isOver) return
    this.close()
    this.#host.onEnd(end)
  }

  #onActivity(): void {
    if (this.#isOver) return
    this.#watchdog.touch()
    if (this.state === 'live') this.#host.memory.liveAt = momentOf(this.#host.environment)
  }

  #onEvent(event: string, data: string): void {
    // guard(old-stream): the cursor and the list have gone on without it; its frames would move the cursor past what they lack, guarantee 5
    if (this.#isOver) return
    try {
      const frame = decodeFrame(event, data)
      if (frame) this.#apply(frame)
    } catch (error) {
      this.#host.onError(error)
      // guard(failed-frame): an effect that threw did not happen, and a frame that can't be read is a gap: it has to come again, guarantee 5
      this.#end(isQueryTagsError(error) ? toEnd(error) : { reason: 'failed-effect' })
    }
  }

  #apply(frame: Frame): void {
    const { memory, binding, onState } = this.#host
    if (frame.event === 'bye') return this.#end({ ...frame.data, isClean: true })
    if ((frame.event === 'hello') === (this.#helloAt !== undefined)) {
      throw new QueryTagsError('malformed-message', `Unexpected "${frame.event}" event`)
    }
    if (frame.event === 'hello') return this.#applyHello(frame.data)
    let cursor: ClientCursor
    if (frame.event === 'heartbeat') {
      memory.retryMs = frame.data.retryMs
      this.#isVerified = frame.data.verified
      if (this.#isVerified) this.#unresolved.clear()
      cursor = raised(memory.cursor, frame.data.cursor)
    } else if (frame.event === 'invalidate') {
      const { scope, at, tags, spreadMs = 0 } = frame.data
      binding.onInvalidate({ scope, at, tags, spreadMs, source: 'stream' })
      cursor = raised(memory.cursor, { [scope]: at })
    } else {
      const { scopes, reason, spreadMs } = frame.data
      binding.onReset({ scopes, reason, spreadMs })
      cursor = afterReset(memory.cursor, scopes, frame.data.cursor)
      for (const scope of scopes) this.#unresolved.delete(scope)
    }
    // The effect may have ended the binding, and the cursor may be another user's by now.
    if (this.#isOver) return
    memory.cursor = cursor
    onState()
  }

  #applyHello(hello: HelloFrame): void {
    const { environment, memory, list, binding } = this.#host
    const before = memory.cursor
    const isLate = elapsedMs(environment, this.#startedAt) > SLACK_MS
    const doubt = doubtOf(before, this.#sent, hello.cursor, isLate)
    const asks = list.acknowledge()
    memory.cursor = afterHello(before, hello.cursor)
    const expired = asks.filter((ask) => !covers(hello.cursor, toCursor(ask.from, memory.cursor))).map((ask) => ask.tag)
    this.#begin(hello)
    try {
      binding.onHello()
      if (doubt.scopes.length > 0) binding.onReset({ ...doubt, spreadMs: 0 })
      // guard(uncovered-ask): the replay begins after the position that these were asked from, or in another epoch, guarantee 1
      if (expired.length > 0) binding.onMissed(expired, 'expired')
    } catch (error) {
      // guard(failed-hello): the next stream has to start where this one did, guarantee 5
      memory.cursor = before
      // guard(failed-hello-asks): the replay that would have answered these is dropped, guarantee 5
      list.askAgain(asks, before)
      throw error
    }
    if (this.#isOver) return
    this.#requests = new WatchRequests({
      ...this.#host,
      connection: hello.connection,
      cursor: () => memory.cursor,
      onLost: (end) => this.#end(end),
    })
    this.#host.onState()
  }

  /** From here on the stream is measured by its heartbeats. */
  #begin(hello: HelloFrame): void {
    const { environment, memory } = this.#host
    memory.heartbeatMs = hello.heartbeatMs
    memory.retryMs = hello.retryMs
    this.connection = hello.connection
    this.#helloAt = momentOf(environment)
    this.#isVerified = Object.keys(hello.cursor).length > 0
    for (const scope of Object.keys(this.#sent)) if (!(scope in hello.cursor)) this.#unresolved.add(scope)
    this.#watchdog.start(silenceMs(memory))
    this.#onActivity()
  }
}
