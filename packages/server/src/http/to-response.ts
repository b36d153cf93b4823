import type { EventSink, StreamSource } from '../hub/sink.ts'
import type { Outcome, Stream } from './outcome.ts'

/** Bytes that a stream keeps ready for its reader. What comes on top waits in the connection, merged. */
const QUEUE_BYTES = 16_384

/**
 * Writes an outcome as a web `Response`.
 *
 * @param signal of the request: aborted when the client has gone.
 */
export function toResponse(outcome: Outcome, signal?: AbortSignal): Response {
  const { status, headers } = outcome
  if (outcome.kind === 'answer') return new Response(outcome.body, { status, headers: { ...headers } })
  if (!signal?.aborted) return new Response(toStream(outcome, signal), { status, headers: { ...headers } })
  outcome.discard()
  return new Response(null, { status: 499 })
}

function toStream(outcome: Stream, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
  const sink = new FetchSink(outcome, signal)
  return new ReadableStream(sink, { highWaterMark: QUEUE_BYTES, size: (bytes) => bytes.byteLength })
}

/** Both ends of a `ReadableStream`: the source that the runtime reads from, and the sink that the connection writes to. */
class FetchSink implements EventSink {
  readonly #outcome: Stream
  readonly #signal: AbortSignal | undefined
  #source: StreamSource | undefined
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #isEnded = false

  constructor(outcome: Stream, signal: AbortSignal | undefined) {
    this.#outcome = outcome
    this.#signal = signal
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller
    this.#signal?.addEventListener('abort', this.#abort, { once: true })
    this.#source = this.#outcome.open(this)
    // It was ended in place of being opened.
    if (!this.#controller) this.#source.closed()
  }

  pull(): void {
    this.#source?.drained()
  }

  /** The runtime's word that nobody reads any more. Some runtimes only abort the signal, some only call this. */
  cancel(): void {
    this.#over()
  }

  write(bytes: Uint8Array): boolean {
    const controller = this.#controller
    if (!controller) return false
    controller.enqueue(bytes)
    return (controller.desiredSize ?? 0) > 0
  }

  end(): void {
    const controller = this.#controller
    if (!controller) return
    const isRead = controller.desiredSize === QUEUE_BYTES
    this.#isEnded = true
    controller.close()
    // Otherwise something is still to be read, and whoever ended the stream destroys it if nobody comes for it.
    if (isRead) this.#over()
  }

  destroy(): void {
    this.#controller?.error(new Error('The stream was cut off'))
    this.#over()
  }

  /** The client has gone. To the runtime that is an end: of an error it would tell the application, or the log. */
  readonly #abort = (): void => {
    if (!this.#isEnded) this.#controller?.close()
    this.#over()
  }

  #over(): void {
    this.#controller = undefined
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#source?.closed()
  }
}
