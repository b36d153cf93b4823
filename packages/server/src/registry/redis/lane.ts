import { QueryTagsError } from '@query-tags/core'
import type { Clock } from '../../clock.ts'
import { CONNECT_TIMEOUT_MS, type Connect, type ConnectionEvents, type RedisConnection } from './redis-driver.ts'

/** Calls that may wait for an answer on one connection. */
const MAX_IN_FLIGHT = 10_000
/** A connection on which nothing was answered for this long is given up. */
const STALL_MS = 10_000
const FIRST_RETRY_MS = 100
const MAX_RETRY_MS = 2000
/** The library's own limit comes first, if it has one. */
const OPEN_TIMEOUT_MS: number = CONNECT_TIMEOUT_MS + 2000

export interface LaneEvents {
  /** There is a connection, a new one. */
  readonly onOpen: () => void
  /** Nothing that was sent before is answered, nothing that was subscribed to is heard any more. */
  readonly onLost: () => void
  readonly onMessage: (channel: string, message: string) => void
  readonly onUnsubscribed: (channel: string) => void
}

interface Call {
  readonly reject: (error: unknown) => void
}

/**
 * One connection, opened when it is first used and opened again, without end, whenever it is lost. Nothing waits for it but what came while it
 * was opened for the first time: a process that has just started has not failed yet. Otherwise a call without a connection is refused at once.
 */
export class Lane {
  readonly #connect: Connect
  readonly #clock: Clock
  readonly #events: LaneEvents
  /** Calls that were sent, oldest first. */
  readonly #calls = new Set<Call>()
  /** Calls that wait for the first connection. */
  readonly #waiting = new Set<{ readonly go: () => void; readonly reject: (error: unknown) => void }>()
  #connection: RedisConnection | undefined
  #opening: AbortController | undefined
  #cancelTimer: (() => void) | undefined
  #cancelStall: (() => void) | undefined
  #lastError: unknown
  #failures = 0
  #closed = false

  constructor(connect: Connect, clock: Clock, events: LaneEvents) {
    this.#connect = connect
    this.#clock = clock
    this.#events = events
  }

  get isOpen(): boolean {
    return this.#connection !== undefined
  }

  get inFlight(): number {
    return this.#calls.size + this.#waiting.size
  }

  /** Opens the connection, unless that is under way. */
  open(): void {
    if (this.#closed || this.#connection || this.#opening || this.#cancelTimer) return
    void this.#open()
  }

  /** Sends, and rejects when the connection is lost before the answer. */
  async call<T>(send: (connection: RedisConnection) => Promise<T>): Promise<T> {
    // guard(redis-in-flight): a server that does not answer must not collect calls without bound, guarantee 2
    if (this.inFlight >= MAX_IN_FLIGHT) throw unavailable(`${MAX_IN_FLIGHT} calls wait for an answer already`)
    if (!this.#connection) await this.#firstConnection()
    const connection = this.#connection
    if (!connection) throw this.#notConnected()
    return this.#send(connection, send)
  }

  /** Gives the connection up and opens another. */
  renew(error: unknown): void {
    const connection = this.#connection
    if (!connection) return
    connection.close()
    this.#lose(error)
  }

  close(): void {
    this.#closed = true
    this.#cancelTimer?.()
    this.#cancelStall?.()
    this.#opening?.abort()
    this.#opening = undefined
    this.#connection?.close()
    this.#connection = undefined
    this.#rejectAll(new QueryTagsError('closed', 'The registry is closed'))
  }

  #send<T>(connection: RedisConnection, send: (connection: RedisConnection) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const call: Call = { reject }
      const settle = (): void => {
        if (!this.#calls.delete(call)) return
        this.#cancelStall?.()
        this.#cancelStall = undefined
        this.#watch(connection)
      }
      this.#calls.add(call)
      this.#watch(connection)
      const sent = async (): Promise<T> => send(connection)
      sent().then(
        (value) => {
          this.#failures = 0
          settle()
          resolve(value)
        },
        (error: unknown) => {
          settle()
          reject(error)
          // guard(useless-server): a replica, or a server that still loads, refuses every call until it is another one, guarantee 9
          if (isUselessServer(error) && this.#connection === connection) this.renew(error)
        },
      )
    })
  }

  /** While calls are in flight, each answer gives the connection some more time. */
  #watch(connection: RedisConnection): void {
    if (this.#calls.size === 0 || this.#cancelStall || this.#connection !== connection) return
    this.#cancelStall = this.#clock.after(STALL_MS, () => {
      this.#cancelStall = undefined
      // guard(redis-stall): a server that is paused, or behind a broken network, closes nothing, guarantee 9
      if (this.#connection === connection) this.renew(unavailable(`Redis has not answered for ${STALL_MS} ms`))
    })
  }

  async #firstConnection(): Promise<void> {
    this.open()
    if (!this.#opening || this.#lastError !== undefined) return
    await new Promise<void>((resolve, reject) => {
      this.#waiting.add({ go: resolve, reject })
    })
  }

  async #open(): Promise<void> {
    const opening = new AbortController()
    this.#opening = opening
    const cancel = this.#clock.after(OPEN_TIMEOUT_MS, () => {
      fail(unavailable(`Redis did not let us in within ${OPEN_TIMEOUT_MS} ms`))
    })
    opening.signal.addEventListener('abort', cancel)
    const fail = (error: unknown): void => {
      if (this.#opening !== opening) return
      this.#opening = undefined
      opening.abort()
      this.#fail(error)
    }
    // Those of a connection that was given up meanwhile are not heard.
    let connection: RedisConnection | undefined
    const isCurrent = (): boolean => connection !== undefined && this.#connection === connection
    const events: ConnectionEvents = {
      lost: (error) => {
        if (isCurrent()) this.#lose(error)
        else fail(error)
      },
      message: (channel, message) => {
        if (isCurrent()) this.#events.onMessage(channel, message)
      },
      unsubscribed: (channel) => {
        if (isCurrent()) this.#events.onUnsubscribed(channel)
      },
    }
    try {
      connection = await this.#connect(events, opening.signal)
    } catch (error) {
      return fail(error)
    }
    if (this.#opening !== opening) return connection.close()
    cancel()
    this.#opening = undefined
    this.#connection = connection
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const { go } of waiting) go()
    this.#events.onOpen()
  }

  #lose(error: unknown): void {
    this.#connection = undefined
    this.#cancelStall?.()
    this.#cancelStall = undefined
    this.#fail(error)
    this.#events.onLost()
  }

  #fail(error: unknown): void {
    if (this.#closed) return
    this.#lastError = error
    this.#rejectAll(error)
    const limit = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures)
    this.#failures = Math.min(this.#failures + 1, 16)
    this.#cancelTimer = this.#clock.after(limit * (0.5 + this.#clock.random() / 2), () => {
      this.#cancelTimer = undefined
      this.open()
    })
  }

  #rejectAll(error: unknown): void {
    const calls = [...this.#calls, ...this.#waiting]
    this.#calls.clear()
    this.#waiting.clear()
    for (const { reject } of calls) reject(error)
  }

  #notConnected(): QueryTagsError {
    if (this.#closed) return new QueryTagsError('closed', 'The registry is closed')
    return unavailable(`There is no connection to Redis: ${describe(this.#lastError)}`, this.#lastError)
  }
}

export function unavailable(message: string, cause?: unknown): QueryTagsError {
  return new QueryTagsError('registry-unavailable', message, cause === undefined ? undefined : { cause })
}

export function describe(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error)
}

function isUselessServer(error: unknown): boolean {
  return /\b(READONLY|LOADING|MASTERDOWN)\b/.test(describe(error))
}
