import type { ServerResponse } from 'node:http'
import type { Outcome, Stream } from '../http/outcome.ts'
import type { EventSink, StreamSource } from '../hub/sink.ts'

/** After these the rest of a body may still be on its way; the connection can't serve another request. */
const CLOSE_AFTER = new Set([408, 413])

/** Writes an outcome to a Node response. Headers that other middleware has set are kept. */
export function send(outcome: Outcome, response: ServerResponse): void {
  if (response.destroyed || response.writableEnded || response.headersSent) {
    if (outcome.kind === 'stream') outcome.discard()
    return
  }
  response.statusCode = outcome.status
  for (const [name, value] of Object.entries(outcome.headers)) response.setHeader(name, value)
  if (outcome.kind === 'stream') {
    sendStream(outcome, response)
    return
  }
  if (CLOSE_AFTER.has(outcome.status) && response.req.httpVersionMajor < 2) response.setHeader('connection', 'close')
  if (outcome.body !== null) response.setHeader('content-length', Buffer.byteLength(outcome.body))
  response.end(outcome.body ?? undefined)
}

function sendStream(outcome: Stream, response: ServerResponse): void {
  // The client sees at once that it is connected, even while the registry is being read.
  response.flushHeaders()
  const source: StreamSource = outcome.open(new ResponseSink(response))
  response.on('drain', () => {
    source.drained()
  })
  // Of a request whose body was read only the response tells that the client has gone.
  response.once('close', () => {
    source.closed()
  })
  // 'close' follows. Without a listener a client that resets its connection would end the process.
  response.on('error', () => undefined)
}

class ResponseSink implements EventSink {
  readonly #response: ServerResponse & { flush?: () => void }

  constructor(response: ServerResponse) {
    this.#response = response
  }

  write(bytes: Uint8Array): boolean {
    const wantsMore = this.#response.write(bytes)
    // Compression middleware that ignores no-transform holds bytes back until it is told not to.
    this.#response.flush?.()
    return wantsMore
  }

  end(): void {
    this.#response.end()
  }

  destroy(): void {
    this.#response.destroy()
  }
}
