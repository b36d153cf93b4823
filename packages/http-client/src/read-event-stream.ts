import type { StreamEvents } from '@query-tags/core/client'
import { createParser } from 'eventsource-parser'

/** Characters of one event. A frame is some hundred thousand at most; what is longer is no stream of ours. */
const MAX_EVENT_LENGTH = 2 ** 20

/** Reads an event stream to its end. Throws when it breaks off, or when an event is too long. */
export async function readEventStream(body: ReadableStream<Uint8Array>, events: StreamEvents): Promise<void> {
  const decoder = new TextDecoder()
  const parser = createParser({
    maxBufferSize: MAX_EVENT_LENGTH,
    onEvent: ({ event = 'message', data }) => events.onEvent(event, data),
    onError(error) {
      // Unknown fields and retry times are to be ignored, says the specification.
      if (error.type === 'max-buffer-size-exceeded') throw error
    },
  })
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      events.onActivity()
      parser.feed(decoder.decode(value, { stream: true }))
    }
  } finally {
    // After an end this does nothing; otherwise it frees the socket. The failure, if any, is on its way already.
    reader.cancel().catch(() => {})
  }
}
