import { QueryTagsError } from '@query-tags/core'
import { createParser, type EventSourceParser } from 'eventsource-parser'

/** Characters of one event. A frame has some hundred thousand at most; what is longer is no stream of ours. */
const MAX_LENGTH = 2 ** 20

/** Reads an event stream, cut anywhere. */
export class EventReader {
  readonly #parser: EventSourceParser

  constructor(onEvent: (event: string, data: string) => void) {
    this.#parser = createParser({
      onEvent: ({ event = 'message', data }) => onEvent(event, data),
      onError: ({ type }) => {
        // Anything else is a line that the standard says to ignore.
        if (type === 'max-buffer-size-exceeded') throw new QueryTagsError('too-large', 'Event too long')
      },
      maxBufferSize: MAX_LENGTH,
    })
  }

  /** @throws {QueryTagsError} `too-large` */
  feed(text: string): void {
    this.#parser.feed(text)
  }
}
