import type { ErrorBody, WatchAnswer, WatchRequest } from '@query-tags/core'
import {
  createConnection,
  readWatchAnswer,
  Refusal,
  type Environment,
  type InvalidatorClient,
  type Transport,
} from '@query-tags/core/client'
import { browserEnvironment, createHTTPTransport, type HTTPTransportOptions } from '@query-tags/http-client'

/** What `system.handleControl` answers. */
export interface ControlAnswer {
  readonly status: number
  readonly body: WatchAnswer | ErrorBody
}

/** A server function around `system.handleControl`, as the browser calls it. */
export type ControlFunction = (call: {
  readonly data: WatchRequest
  readonly signal: AbortSignal
}) => Promise<ControlAnswer>

export interface InvalidatorClientOptions {
  /**
   * Where the server route is mounted.
   * @default '/api/invalidator'
   */
  readonly sseBasePath?: string | undefined
  /**
   * Sends control messages (a page's changed tags) through a server function of yours, so that the middleware and the CSRF protection of server
   * functions apply to them. The stream stays on the route.
   *
   * @default the route at `sseBasePath`, by POST
   */
  readonly control?: ControlFunction | undefined
  /** Sent with every request to the route; a function is called for each. */
  readonly headers?: HTTPTransportOptions['headers']
  /** In place of the global `fetch`, for requests to the route. It has to stream response bodies and to respect `signal`. */
  readonly fetch?: HTTPTransportOptions['fetch']
  /** Time, chance and page events, for tests and simulation. */
  readonly environment?: Environment | undefined
  /**
   * Called with what was thrown by `headers`, by a status listener or while applying an invalidation. A lost connection is not an error; see
   * `status`.
   * @default console.warn
   */
  readonly onError?: ((error: unknown) => void) | undefined
}

/**
 * Connects the pages of a TanStack Start app to the server route that `system.createAPIHandler()` is mounted at. Nothing is sent until
 * `TagInvalidationProvider` or `bindTags` binds it to a QueryClient; so a module that is rendered on the server, too, may create it.
 *
 * @example
 * ```ts
 * const invalidatorClient = createInvalidatorClient({ sseBasePath: '/api/invalidator' })
 * ```
 *
 * @example Control by a server function of the app
 * ```ts
 * const control = createServerFn({ method: 'POST' })
 *   .validator((message: unknown) => message)
 *   .handler(({ data }) => tagInvalidation.handleControl(data))
 *
 * const invalidatorClient = createInvalidatorClient({ control })
 * ```
 */
export function createInvalidatorClient({
  sseBasePath = '/api/invalidator',
  control,
  headers,
  fetch,
  environment = browserEnvironment(),
  onError,
}: InvalidatorClientOptions = {}): InvalidatorClient {
  const route = createHTTPTransport({ basePath: sseBasePath, headers, fetch })
  const transport = control ? { ...route, watch: watchBy(control) } : route
  return createConnection({ transport, environment, onError })
}

/** Whatever the function throws counts as a broken network: it is tried again, and then the stream is opened anew with the whole list. */
function watchBy(control: ControlFunction): Transport['watch'] {
  return async (data, signal) => {
    const { status, body } = await control({ data, signal })
    if (status === 200) return readWatchAnswer(body)
    throw new Refusal(status, (body as ErrorBody).code)
  }
}
