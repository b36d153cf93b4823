import { isQueryTagsError, QueryTagsError } from '../errors.ts'
import type { Cursor } from '../protocol/cursor.ts'
import { decodeFrame } from '../protocol/decode.ts'
import { PROTOCOL_VERSION, type Frame, type HelloFrame } from '../protocol/messages.ts'
import type { Scope } from '../protocol/scope.ts'
import type { Binding } from './client.ts'
import {
  afterHello,
  afterReset,
  covers,
  doubtfulScopes,
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

/** How far back a first request reaches beyond the page's load. Its hello may use up half of it; a binding allows for clocks with the rest. */
const SLACK_MS = 30_000
/** How late the hello to a first request may come. The age that it was asked with counts from when the server got it. */
const LATE_MS = SLACK_MS / 2
/** Without a byte, an attempt is given up after this. */
const OPEN_MS = 20_000
const HEARTBEATS_TO_DEATH = 2.5

/** What a client remembers from one stream to the next. */
export interface Memory {
  cursor: ClientCursor
  heartbeatMs: number
  retryMs: number
  /** Attempts since the last heartbeat: a stream that brought one was healthy. */
  failures: number
  /** When it last knew that it was live. */
  liveAt: Moment
}

/** What the streams of one binding share. */
export interface StreamHost {
  readonly environment: Environment
  readonly transport: Transport
  readonly binding: Binding
  readonly memory: Memory
  readonly list: WatchList
  readonly watcher: string
  readonly scope: Scope | undefined
  readonly pageCursor: Cursor | undefined
  readonly onError: (error: unknown) => void
  /** The stream's `state` may have changed. */
  readonly onState: () => void
  /** The stream ended by itself. Nothing is called after it. */
  readonly onEnd: (end: End) => void
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
  /** Where it was asked to start. Until the server verified its position, the scopes that are missing in the cursor wait for a reset. */
  #sent: Cursor = {}
  #isOpen = false
  #isVerified = true
  #isOver = false
  #requests: WatchRequests | undefined
  /** Names the stream to the server, from hello on. */
  connection: string | undefined

  constructor(host: StreamHost) {
    this.#host = host
    this.#startedAt = momentOf(host.environment)
    this.#watchdog = new Watchdog(host.environment, () => this.#end({ reason: 'timeout' }))
  }

  /**
   * To be called once, at once.
   *
   * @param replaces The previous connection, whose end the server may not have noticed.
   */
  open(watchAll: boolean, replaces: string | undefined): void {
    const { environment, transport, memory, list, watcher, scope, pageCursor, onError } = this.#host
    this.#watchdog.start(Math.max(OPEN_MS, silenceMs(memory)))
    const watch = list.open(watchAll)
    const isFirst = !memory.cursor.first
    const asked = list.sent().map((ask) => ask.from)
    if (isFirst && pageCursor) asked.push({ first: false, cursor: pageCursor })
    this.#sent = resumeCursor(memory.cursor, asked)
    const request = {
      v: PROTOCOL_VERSION,
      cursor: this.#sent,
      ageMs: elapsedMs(environment, environment.loadedAt) + SLACK_MS,
      first: isFirst && !pageCursor,
      watcher,
      watch,
      ...(scope && { scope }),
      ...(replaces && { replaces }),
    }
    const events = {
      onEvent: (event: string, data: string) => this.#onEvent(event, data),
      onActivity: () => this.#onActivity(),
    }
    transport.open(request, events, this.#abort.signal).then(
      () => this.#end({ reason: 'ended', isClean: this.#isOpen }),
      (error: unknown) => {
        // Not the network's fault, such as an option that can't be right: somebody has to see it.
        if (!this.#isOver && isQueryTagsError(error)) onError(error)
        this.#end(toEnd(error))
      },
    )
  }

  get state(): 'connecting' | 'live' | 'degraded' {
    if (!this.#isOpen) return 'connecting'
    const { current = {} } = this.#host.memory.cursor
    const isResolved = Object.keys(current).length > 0 && Object.keys(this.#sent).every((scope) => current[scope])
    return this.#isVerified && isResolved ? 'live' : 'degraded'
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
    this.#host.list.lose()
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
    const { memory, binding } = this.#host
    if (frame.event === 'bye') return this.#end({ ...frame.data, isClean: true })
    if ((frame.event === 'hello') === this.#isOpen) {
      throw new QueryTagsError('malformed-message', `Unexpected "${frame.event}"`)
    }
    if (frame.event === 'hello') {
      this.#applyHello(frame.data)
    } else if (frame.event === 'invalidate') {
      const { scope, at, tags, spreadMs = 0 } = frame.data
      binding.onInvalidate({ scope, at: at ?? '', tags, spreadMs, source: 'stream' })
      this.#move(raised(memory.cursor, at === undefined ? {} : { [scope]: at }))
    } else if (frame.event === 'heartbeat') {
      const { cursor, retryMs, verified } = frame.data
      memory.retryMs = retryMs
      memory.failures = 0
      this.#isVerified = verified
      if (verified) this.#sent = {}
      this.#move(raised(memory.cursor, cursor))
    } else {
      const { scopes, cursor, reason, spreadMs } = frame.data
      binding.onReset({ scopes, reason, spreadMs })
      this.#move(afterReset(memory.cursor, scopes, cursor))
    }
  }

  /** Moves the cursor, after the effects. */
  #move(to: ClientCursor): void {
    // guard(ended-by-effect): the effect may have ended the binding, and by now the cursor can be another user's, guarantee 5
    if (this.#isOver) return
    this.#host.memory.cursor = to
    this.#onActivity()
    this.#host.onState()
  }

  #applyHello({ connection, cursor, heartbeatMs, retryMs }: HelloFrame): void {
    const { environment, memory, list, binding } = this.#host
    const before = memory.cursor
    const isLate = elapsedMs(environment, this.#startedAt) > LATE_MS
    const scopes = doubtfulScopes(before, this.#sent, cursor, isLate)
    memory.cursor = afterHello(before, cursor, scopes)
    memory.heartbeatMs = heartbeatMs
    memory.retryMs = retryMs
    this.connection = connection
    this.#isOpen = true
    this.#watchdog.start(silenceMs(memory))
    this.#onActivity()
    try {
      list.settle((asks) => {
        const expired = asks.filter((ask) => !covers(cursor, toCursor(ask.from, memory.cursor))).map((ask) => ask.tag)
        // First, since a binding takes a hello for the answer to whatever it has asked.
        // guard(uncovered-ask): the replay begins after the position that these were asked from, or in another epoch, guarantee 1
        if (expired.length > 0) binding.onMissed(expired, 'expired')
        binding.onHello()
        if (scopes.length > 0) binding.onReset({ scopes, reason: isLate ? 'late' : 'epoch', spreadMs: 0 })
      })
    } catch (error) {
      // guard(failed-hello): the next stream has to start where this one did, guarantee 5
      memory.cursor = before
      throw error
    }
    if (this.#isOver) return
    this.#requests = new WatchRequests(this.#host, connection, (end) => this.#end(end))
    this.#host.onState()
  }
}
