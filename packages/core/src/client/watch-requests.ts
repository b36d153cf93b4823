import { QueryTagsError } from '../errors.ts'
import { olderCursor } from '../protocol/cursor.ts'
import type { WatchAnswer, WatchRequest } from '../protocol/messages.ts'
import { retryDelayMs } from './backoff.ts'
import { toCursor } from './client-cursor.ts'
import { toEnd, type End } from './end.ts'
import type { StreamHost } from './stream.ts'
import { Refusal } from './transport.ts'

const BATCH_MS = 100
const TIMEOUT_MS = 10_000
const MAX_ATTEMPTS = 3
/** A `Retry-After` is respected up to this, the longest of our server's: until the answer, what the tags missed is not known. */
const MAX_RETRY_AFTER_MS = 30_000

/** Sends the changes of a watch list for one stream: batched, one request in flight, retried with its number until it is answered. */
export class WatchRequests {
  readonly #host: StreamHost
  readonly #connection: string
  readonly #onLost: (end: End) => void
  #n = 0
  #isBusy = false
  #abort: AbortController | undefined
  #cancelTimer: (() => void) | undefined

  /** @param onLost The stream has to be opened anew. Not called again, nor after `stop`. */
  constructor(host: StreamHost, connection: string, onLost: (end: End) => void) {
    this.#host = host
    this.#connection = connection
    this.#onLost = onLost
    this.schedule()
  }

  /** To be called after each change of the list. */
  schedule(): void {
    if (this.#isBusy) return
    this.#isBusy = true
    this.#after(BATCH_MS, () => this.#begin())
  }

  stop(): void {
    this.#isBusy = true
    this.#drop()
  }

  #begin(): void {
    const { list, memory, watcher } = this.#host
    if (list.isTooLong) return this.#onLost({ reason: 'too-many-tags', isClean: true, retryMs: 0 })
    const { add, remove } = list.take()
    this.#isBusy = add.length + remove.length > 0
    if (!this.#isBusy) return
    const at = memory.cursor
    const current = at.current!
    const from = list.sent().reduce((oldest, ask) => olderCursor(oldest, toCursor(ask.from, at), current), current)
    this.#send({ connection: this.#connection, watcher, n: ++this.#n, add, remove, from }, 1)
  }

  #send(request: WatchRequest, attempt: number): void {
    const abort = new AbortController()
    const settle = (next: () => void): void => {
      // guard(stale-answer): what is on its way by now was sent with another request, or with the next stream, guarantee 5
      if (this.#abort !== abort) return
      this.#drop()
      next()
    }
    const fail = (error: unknown): void => settle(() => this.#fail(request, attempt, error))
    this.#after(TIMEOUT_MS, () => fail(new QueryTagsError('timeout', 'No answer')))
    this.#abort = abort
    this.#host.transport.watch(request, abort.signal).then((answer) => settle(() => this.#apply(answer)), fail)
  }

  #fail(request: WatchRequest, attempt: number, error: unknown): void {
    const { environment, list } = this.#host
    const { status = 0, retryAfterMs = 0 } = error instanceof Refusal ? error : {}
    const isRefused = status >= 400 && status < 500 && status !== 408 && status !== 429
    if (!isRefused && attempt < MAX_ATTEMPTS) {
      const delayMs = Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) + retryDelayMs(attempt, 0, environment.random())
      this.#after(delayMs, () => this.#send(request, attempt + 1))
    } else if (list.isAll) {
      // A stream of everything goes on bringing what comes; only the past of these tags is not known.
      this.#apply({ n: request.n, expired: true })
    } else {
      this.#onLost({ reason: toEnd(error).reason, isClean: true, isWatchRefused: true, retryMs: 0 })
    }
  }

  #apply(answer: WatchAnswer): void {
    const { list, binding, onError } = this.#host
    this.#isBusy = false
    try {
      list.settle((asks) => {
        if (asks.length === 0) return
        const added = asks.map((ask) => ask.tag)
        if ('tags' in answer) binding.onMissed(added, answer.tags, answer.at)
        else binding.onMissed(added, 'expired')
      })
    } catch (error) {
      onError(error)
      return this.#onLost({ reason: 'failed-effect' })
    }
    this.schedule()
  }

  #drop(): void {
    this.#cancelTimer?.()
    this.#abort?.abort()
    this.#abort = undefined
  }

  #after(ms: number, callback: () => void): void {
    this.#cancelTimer = this.#host.environment.after(ms, callback)
  }
}
