import { createConnection, type Environment, type InvalidatorClient } from '@query-tags/core/client'
import { browserEnvironment } from './browser-environment.ts'
import { createHTTPTransport, type HeadersOption } from './http-transport.ts'

export interface HTTPInvalidatorClientOptions {
  /**
   * Where the server's handler is mounted: a path of the page's origin, or an absolute URL. Outside a browser it has to be absolute.
   * @default '/api/invalidator'
   */
  readonly basePath?: string | undefined
  /**
   * Sent with every request, such as `Authorization`. A function is called for every request, so that a fresh token goes with each
   * reconnect; it may be async. When it throws, the attempt counts as failed, and is made again later.
   */
  readonly headers?: HeadersOption | undefined
  /**
   * As in `fetch`: `'include'` sends cookies to another origin.
   * @default 'same-origin'
   */
  readonly credentials?: RequestCredentials | undefined
  /** In place of the global `fetch`. It has to stream response bodies and to respect `signal`. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** Time, chance and page events, for tests and simulation. */
  readonly environment?: Environment | undefined
  /**
   * Called with what was thrown by `headers`, by a status listener or while applying an invalidation, and with options that can't be right. A
   * lost connection is not an error; see `status`.
   * @default console.warn
   */
  readonly onError?: ((error: unknown) => void) | undefined
}

/**
 * Connects a page to a query-tags server over HTTP: one streamed response, and a small request when the tags on the page change. Nothing is
 * sent until it is bound to a QueryClient, by `TagInvalidationProvider` or `bindTags`; so it may be created anywhere, on the server too.
 *
 * It reconnects by itself and resumes where it was. `close()` it when you are done; ending the binding is enough for the stream to end.
 *
 * @example
 * ```ts
 * const client = createHTTPInvalidatorClient({
 *   basePath: '/api/invalidator',
 *   headers: async () => ({ authorization: `Bearer ${await getToken()}` }),
 * })
 * ```
 */
export function createHTTPInvalidatorClient({
  basePath = '/api/invalidator',
  environment = browserEnvironment(),
  onError,
  ...request
}: HTTPInvalidatorClientOptions = {}): InvalidatorClient {
  return createConnection({ transport: createHTTPTransport({ basePath, ...request }), environment, onError })
}
