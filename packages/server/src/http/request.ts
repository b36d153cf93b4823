/**
 * What the handler reads of a request. For adapter authors: `fromRequest` makes one of a web `Request`, the Node bridge of an
 * `IncomingMessage`.
 */
export interface HandlerRequest {
  readonly method: string
  /** The path below where the handler is mounted: `''` or `'/'` for the stream, `'/watch'`. Without the query. */
  readonly path: string
  /** The host that the client asked for, when there may be no `Host` header (HTTP/2). */
  readonly host: string | undefined
  /** The value of a header, by its lower-case name. */
  header(name: string): string | undefined
  /**
   * The body: text, or what the framework has parsed it to already.
   *
   * @param signal aborted when the body has taken too long; reading stops then.
   * @throws {BodyTooLarge} over `maxBytes` bytes.
   */
  readBody(maxBytes: number, signal: AbortSignal): Promise<unknown>
}

/** The body is over the limit. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge'
}

/** Reads a web `Request`. The path is given, since only the caller knows where it is mounted. */
export function fromRequest(request: Request, path: string): HandlerRequest {
  return {
    method: request.method,
    path,
    host: hostOf(request.url),
    header: (name) => request.headers.get(name) ?? undefined,
    readBody: (maxBytes, signal) => readText(request, maxBytes, signal),
  }
}

function hostOf(url: string): string | undefined {
  try {
    return new URL(url).host
  } catch {
    // Some runtimes hand out relative URLs; then there is a Host header.
    return undefined
  }
}

async function readText(request: Request, maxBytes: number, signal: AbortSignal): Promise<string> {
  if (!request.body) return ''
  const reader = request.body.getReader()
  const stop = (): void => {
    // The client may have gone; there is nothing to do about a body that can't be cancelled.
    reader.cancel().catch(() => undefined)
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    const decoder = new TextDecoder()
    let [text, bytes] = ['', 0]
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return text + decoder.decode()
      bytes += value.byteLength
      if (bytes > maxBytes) {
        stop()
        throw new BodyTooLarge()
      }
      text += decoder.decode(value, { stream: true })
    }
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
