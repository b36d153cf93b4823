import { toTagKey, type ErrorBody, type PlainTag, type WatchAnswer, type WatchRequest } from '@query-tags/core'
import type { Clock } from '../clock.ts'
import type { Admission } from '../hub/disconnects.ts'
import type { Hub } from '../hub/hub.ts'
import { answerWatch } from '../hub/watch.ts'
import type { Limits } from '../limits.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Reporter } from '../reporter.ts'
import type { Authorized, Authorizer } from './authorize.ts'
import { readJson } from './body.ts'
import { fromLastEventId, readStreamMessage, readWatchRequest, type StreamMessage } from './messages.ts'
import { checkOrigin } from './origin.ts'
import { STREAM_HEADERS, toAnswer, type Outcome } from './outcome.ts'
import { RateLimit } from './rate-limit.ts'
import { Refusal, toRefusalAnswer } from './refusal.ts'
import type { HandlerRequest } from './request.ts'

const ALLOWED_METHODS = {
  stream: ['GET', 'HEAD', 'POST', 'OPTIONS'],
  watch: ['POST', 'OPTIONS'],
}

/** The answer to a control message: what `POST {base}/watch` would have answered. */
export type ControlResult =
  | { readonly status: 200; readonly body: WatchAnswer }
  | { readonly status: number; readonly body: ErrorBody }

export interface ResponderParts<Ctx> {
  readonly hub: Hub
  readonly clock: Clock
  readonly limits: Limits
  readonly reporter: Reporter
  readonly metrics: Metrics
  readonly authorizer: Authorizer<Ctx>
  readonly allowedOrigins: ReadonlySet<string>
  readonly maxStreamMs: number
}

/** Turns a request into an outcome: routes, authorizes, and gives out streams or refusals. What an adapter adds is translation. */
export class Responder<Ctx> {
  readonly #parts: ResponderParts<Ctx>
  readonly #rate: RateLimit
  #isClosing = false

  constructor(parts: ResponderParts<Ctx>) {
    this.#parts = parts
    this.#rate = new RateLimit(parts.limits.maxControlCallsPerSecond)
  }

  /** From now on every request is refused. */
  close(): void {
    this.#isClosing = true
  }

  /** Never rejects. */
  async respond(request: HandlerRequest, context: () => Ctx | Promise<Ctx>): Promise<Outcome> {
    try {
      return await this.#route(request, context)
    } catch (error) {
      return toRefusalAnswer(this.#refuse(error), this.#parts.clock)
    }
  }

  /** Answers a watch request that did not come over HTTP. Never rejects. */
  async control(message: unknown, context: () => Ctx | Promise<Ctx>): Promise<ControlResult> {
    try {
      this.#checkOpen()
      const { scopes } = await this.#parts.authorizer.authorize(context)
      return { status: 200, body: await this.#watch(readWatchRequest(message), scopes) }
    } catch (error) {
      const { status, body } = this.#refuse(error)
      return { status, body }
    }
  }

  async #route(request: HandlerRequest, context: () => Ctx | Promise<Ctx>): Promise<Outcome> {
    const { authorizer, allowedOrigins, clock, limits } = this.#parts
    this.#checkOpen()
    checkOrigin(request, allowedOrigins)
    const route = toRoute(request.path)
    const allow = { allow: ALLOWED_METHODS[route].join(', ') }
    if (!ALLOWED_METHODS[route].includes(request.method)) {
      throw new Refusal('method-not-allowed', `${request.method} is not allowed here`, allow)
    }
    if (request.method === 'OPTIONS') return toAnswer(204, null, allow)

    if (route === 'stream') return this.#admit(request, context)
    const { scopes } = await authorizer.authorize(context)
    return toAnswer(200, await this.#watch(readWatchRequest(await readJson(request, clock, limits)), scopes))
  }

  async #admit(request: HandlerRequest, context: () => Ctx | Promise<Ctx>): Promise<Outcome> {
    const { hub, authorizer, clock, limits } = this.#parts
    const admission = authorizer.isScoped ? await hub.disconnects.begin() : undefined
    try {
      const authorized = await authorizer.authorize(context)
      if (request.method === 'HEAD') return { kind: 'answer', status: 200, headers: STREAM_HEADERS, body: null }
      const message =
        request.method === 'GET'
          ? fromLastEventId(request.header('last-event-id'))
          : readStreamMessage(await readJson(request, clock, limits))
      return this.#stream(message, authorized, admission)
    } finally {
      admission?.end()
    }
  }

  #stream(message: StreamMessage, { scopes, expiresAt }: Authorized, admission: Admission | undefined): Outcome {
    const { hub, clock, limits, authorizer, maxStreamMs, metrics } = this.#parts
    authorizer.checkWish(message.wish, scopes)
    if (message.watch !== '*' && isTooLong(message.watch, limits)) throw tooManyTags(limits)
    // Closed meanwhile: the body may have taken its time.
    this.#checkOpen()
    const replaced = message.replaces === undefined ? undefined : hub.find(message.replaces, scopes)
    replaced?.bye('replaced', 0)
    const connection = hub.admit(scopes, message)
    if (connection === 'unavailable') throw new Refusal(connection, 'The server has no room for another connection')
    if (connection === 'too-many-requests') throw new Refusal(connection, 'The caller has too many connections')
    metrics.connects.add(message.mode)
    // guard(authorized-before): whoever was let in before a disconnect must not stay after it, guarantee 11
    if (admission?.isRevoked(scopes)) connection.bye('reauthorize', 0)
    return {
      kind: 'stream',
      status: 200,
      headers: STREAM_HEADERS,
      open: (sink) => {
        // Spread, so that clients that connected together do not come back together.
        connection.open(sink, maxStreamMs * (0.8 + 0.4 * clock.random()), expiresAt - clock.now())
        return connection
      },
      discard: () => {
        connection.closed()
      },
    }
  }

  async #watch(request: WatchRequest, scopes: readonly string[]): Promise<WatchAnswer> {
    const { hub, clock, limits, reporter } = this.#parts
    const connection = hub.find(request.connection, scopes)
    if (!connection) throw notHere()
    if (!this.#rate.admits(connection, clock.now()))
      throw new Refusal('too-many-requests', 'Too many changes of this connection')
    const answer = await answerWatch(connection, request, limits, (error) => {
      reporter.report(error, 'registry')
    })
    if (answer === 'too-large') throw tooManyTags(limits)
    if (answer === 'not-here') throw notHere()
    return answer
  }

  #checkOpen(): void {
    // Others have room, or will soon: clients spread their next attempt themselves.
    if (this.#isClosing) throw new Refusal('unavailable', 'The server is shutting down', { 'retry-after': '1' })
  }

  #refuse(error: unknown): Refusal {
    const refusal = this.#toRefusal(error)
    this.#parts.metrics.refused.add(refusal.code)
    if (refusal.code === 'not-here') this.#parts.metrics.watchReopens++
    return refusal
  }

  #toRefusal(error: unknown): Refusal {
    if (error instanceof Refusal) return error
    this.#parts.reporter.report(error, 'registry')
    return new Refusal('unavailable', 'The server could not read its registry')
  }
}

/** @throws {Refusal} `not-found` */
function toRoute(path: string): keyof typeof ALLOWED_METHODS {
  const name = path.replace(/^\/+|\/+$/g, '')
  if (name === '') return 'stream'
  if (name === 'watch') return 'watch'
  throw new Refusal('not-found', 'There is nothing at this path')
}

/** One answer for a connection that is not known and one of other scopes, so that neither can be told from the other. */
function notHere(): Refusal {
  return new Refusal('not-here', 'The connection is not here; open a new stream')
}

function isTooLong(tags: readonly PlainTag[], { maxWatchedTags, maxWatchedBytes }: Limits): boolean {
  return tags.length > maxWatchedTags || tags.reduce((size, tag) => size + toTagKey(tag).length, 0) > maxWatchedBytes
}

function tooManyTags({ maxWatchedTags, maxWatchedBytes }: Limits): Refusal {
  return new Refusal(
    'too-large',
    `A watch list has at most ${maxWatchedTags} tags and ${maxWatchedBytes} characters; watch "*" instead`,
  )
}
