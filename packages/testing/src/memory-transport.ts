import type { ErrorBody, StreamRequest, WatchAnswer, WatchRequest } from '@query-tags/core'
import { Refusal, type StreamEvents, type Transport } from '@query-tags/core/client'
import type { Outcome, Stream } from '@query-tags/server'
import type { Activity } from './activity.ts'

export interface MemoryTransportOptions {
  /** Hands a request to the server. */
  readonly respond: (path: string, body: string) => Promise<Outcome>
  readonly activity: Activity
  /** Milliseconds since the client was created, by the server's clock. */
  readonly ageMs: () => number
  readonly onEnd: () => void
}

/** Joins a client to a system without a network: what the system writes is applied before its `write` returns. */
export function createMemoryTransport({ respond, activity, ageMs, onEnd }: MemoryTransportOptions): Transport {
  return {
    async open(request: StreamRequest, events, signal) {
      const opened = activity.begin()
      try {
        // There is one clock here, so nothing has to be added to the age for what two of them don't agree on.
        const outcome = await respond('', JSON.stringify({ ...request, ageMs: ageMs() }))
        if (outcome.kind === 'answer') throw toRefusal(outcome)
        await read(outcome, events, signal, opened)
        onEnd()
      } finally {
        opened()
      }
    },
    async watch(request: WatchRequest) {
      const outcome = await activity.during(respond('/watch', JSON.stringify(request)))
      if (outcome.kind === 'stream' || outcome.status !== 200) throw toRefusal(outcome)
      return JSON.parse(outcome.body!) as WatchAnswer
    },
  }
}

/** Resolves at the stream's end; `onHello` is called after its first event. */
function read(stream: Stream, events: StreamEvents, signal: AbortSignal, onHello: () => void): Promise<void> {
  const decoder = new TextDecoder()
  return new Promise((resolve) => {
    let isOver = false
    const over = (): void => {
      if (isOver) return
      isOver = true
      resolve()
      // After the call that ended it, as with a socket.
      void Promise.resolve().then(() => source.closed())
    }
    const source = stream.open({
      write(bytes) {
        if (isOver) return true
        events.onActivity()
        const { event, data } = toFields(decoder.decode(bytes))
        events.onEvent(event, data)
        onHello()
        return true
      },
      end: over,
      destroy: over,
    })
    if (signal.aborted) over()
    else signal.addEventListener('abort', over, { once: true })
  })
}

/** A frame as the server encodes it, always whole. A reader for streams that are cut anywhere is in `http-client`. */
function toFields(frame: string): { readonly event: string; readonly data: string } {
  const fields = new Map(frame.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]))
  return { event: fields.get('event') ?? '', data: fields.get('data') ?? '' }
}

function toRefusal(outcome: Outcome): Refusal {
  const body = outcome.kind === 'answer' && outcome.body !== null ? (JSON.parse(outcome.body) as ErrorBody) : undefined
  return new Refusal(outcome.status, body?.code)
}
