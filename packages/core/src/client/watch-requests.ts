import { QueryTagsError } from '../errors.ts'
import { olderCursor } from '../protocol/cursor.ts'
import type { WatchRequest } from '../protocol/messages.ts'
import type { PlainTag } from '../tags/tag.ts'
import { retryDelayMs } from './backoff.ts'
import type { Binding } from './client.ts'
import { comparable, toCursor, type ClientCursor } from './client-cursor.ts'
import { toEnd, type End } from './end.ts'
import type { Environment } from './environment.ts'
import { Refusal, type Transport } from './transport.ts'
import type { WatchList } from './watch-list.ts'

const BATCH_MS = 100
const TIMEOUT_MS = 10_000
const MAX_ATTEMPTS = 3

/** One open stream, as the sender of its watch requests sees it. */
export interface WatchHost {
  readonly environment: Environment
  readonly transport: Transport
  readonly list: WatchList
  readonly binding: Binding
  readonly connection: string
  readonly watcher: string
  readonly cursor: () => ClientCursor
  readonly onError: (error: unknown) => void
  /** The stream has to be opened anew. Nothing is called after it. */
  readonly onLost: (end: End) => void
}

/** A request, and the tags in it whose past no server can answer for. */
interface Flight {
  readonly request: WatchRequest
  readonly known: readonly PlainTag[]
  readonly unknown: readonly PlainTag[]
}

/** Sends the changes of a watch list for one stream: batched, one request in flight, retried with its number until it is answered. */
export class WatchRequests {
  readonly #host: WatchHost
  #n = 0
  #isBusy = false
  #isStopped = false
  #abort: AbortController | undefined
  #cancelTimer: (() => void) | undefined

  constructor(host: WatchHost) {
    this.#host = host
    this.schedule()
  }

  /** To be called after each change of the list. */
  schedule(): void {
    if (this.#isBusy || this.#isStopped || !this.#host.list.isDue) return
    this.#isBusy = true
    this.#after(BATCH_MS, () => this.#begin())
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelTimer?.()
    this.#abort?.abort()
  }

  #begin(): void {
    const { list } = this.#host
    this.#isBusy = list.isDue
    if (!this.#isBusy) return
    if (list.isTooLong) this.#host.onLost({ reason: 'too-many-tags', isClean: true, retryMs: 0 })
    else this.#send(this.#toFlight(), 1)
  }

  #toFlight(): Flight {
    const { list, connection, watcher, cursor } = this.#host
    const at = cursor()
    const current = at.current ?? {}
    const { asks, removes } = list.take()
    const [known, unknown]: [PlainTag[], PlainTag[]] = [[], []]
    let from = current
    for (const ask of asks.values()) {
      const asked = toCursor(ask.from, at)
      if (comparable(current, asked)) {
        known.push(ask.tag)
        from = olderCursor(from, asked, current)
      } else {
        // Expired, whatever the server says. In `from` it would make the others expired too.
        unknown.push(ask.tag)
      }
    }
    const request = {
      connection,
      watcher,
      n: ++this.#n,
      add: [...known, ...unknown],
      remove: [...removes.values()],
      from,
    }
    return { request, known, unknown }
  }

  #send(flight: Flight, attempt: number): void {
    const abort = new AbortController()
    const settle = (next: () => void): void => {
      if (this.#abort !== abort || this.#isStopped) return
      this.#abort = undefined
      this.#cancelTimer?.()
      next()
    }
    const fail = (error: unknown): void => settle(() => this.#fail(flight, attempt, error))
    this.#abort = abort
    this.#after(TIMEOUT_MS, () => {
      fail(new QueryTagsError('timeout', 'No answer'))
      abort.abort()
    })
    this.#host.transport.watch(flight.request, abort.signal).then((answer) => {
      if (answer.n === flight.request.n) settle(() => this.#apply(flight, 'tags' in answer ? answer.tags : 'expired'))
      else fail(new QueryTagsError('malformed-message', `Answer ${answer.n} to request ${flight.request.n}`))
    }, fail)
  }

  #fail(flight: Flight, attempt: number, error: unknown): void {
    const { environment, list, onLost } = this.#host
    const refusal = error instanceof Refusal ? error : undefined
    const isFinal = refusal && refusal.status < 500 && refusal.status !== 408 && refusal.status !== 429
    if (!isFinal && attempt < MAX_ATTEMPTS) {
      const delayMs = retryDelayMs(attempt, 0, environment.random()) + (refusal?.retryAfterMs ?? 0)
      this.#after(delayMs, () => this.#send(flight, attempt + 1))
    } else if (list.isAll) {
      // A stream of everything goes on bringing what comes; only the past of these tags is unknown.
      this.#apply(flight, 'expired')
    } else {
      onLost({ reason: toEnd(error).reason, isClean: true, isWatchRefused: true, retryMs: 0 })
    }
  }

  #apply(flight: Flight, missed: readonly PlainTag[] | 'expired'): void {
    const { list, binding, cursor, onError, onLost } = this.#host
    const asks = list.acknowledge()
    try {
      if (flight.known.length > 0) binding.onMissed(flight.known, missed)
      if (flight.unknown.length > 0) binding.onMissed(flight.unknown, 'expired')
    } catch (error) {
      // guard(failed-answer): an effect that threw did not happen, so these tags have to be asked for again, guarantee 5
      list.askAgain(asks, cursor())
      onError(error)
      onLost({ reason: 'failed-effect' })
      return
    }
    this.#isBusy = false
    this.schedule()
  }

  #after(ms: number, callback: () => void): void {
    this.#cancelTimer = this.#host.environment.after(ms, callback)
  }
}
