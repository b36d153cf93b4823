import { QueryTagsError } from '@query-tags/core'
import { createParser, type EventSourceParser } from 'eventsource-parser'

/** Characters of one event. A frame has some hundred thousand at most; what is longer is no stream of ours. */
const MAX_LENGTH = 2 ** 20

/**
 * Reads an event stream, cut anywhere.
 *
 * @throws {QueryTagsError} `too-large`, from `feed`.
 */
export function createEventReader(onEvent: (event: string, data: string) => void): Pick<EventSourceParser, 'feed'> {
  return createParser({
    onEvent: ({ event = 'message', data }) => onEvent(event, data),
    onError({ type }) {
      // Anything else is a line that the standard says to ignore.
      if (type === 'max-buffer-size-exceeded') throw new QueryTagsError('too-large', 'Event too long')
    },
    maxBufferSize: MAX_LENGTH,
  })
}
