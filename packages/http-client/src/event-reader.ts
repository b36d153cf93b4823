import { QueryTagsError } from '@query-tags/core'

/** Characters of one event. A frame has some hundred thousand at most; what is longer is no stream of ours. */
const MAX_LENGTH = 2 ** 20

/**
 * Reads an event stream, cut anywhere: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation, but for
 * the fields `id` and `retry`, which our frames carry inside.
 */
export class EventReader {
  readonly #onEvent: (event: string, data: string) => void
  #rest = ''
  #endsInCR = false
  #event = ''
  #data = ''

  constructor(onEvent: (event: string, data: string) => void) {
    this.#onEvent = onEvent
  }

  /** @throws {QueryTagsError} `too-large` */
  feed(text: string): void {
    this.#rest += text
    // A long line may come in many pieces. It is not searched from its start for each of them.
    if (this.#endsInCR || /[\r\n]/.test(text)) {
      // At the end, a CR may be the first half of a CRLF.
      const lines = this.#rest.split(/\r\n|\n|\r(?!$)/)
      this.#rest = lines.pop()!
      this.#endsInCR = this.#rest.endsWith('\r')
      for (const line of lines) this.#read(line)
    }
    if (this.#rest.length + this.#data.length > MAX_LENGTH) throw new QueryTagsError('too-large', 'Event too long')
  }

  #read(line: string): void {
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line)!
    if (field === 'data') this.#data += `${value}\n`
    else if (field === 'event') this.#event = value!
    else if (!line) {
      // Every line of data ends with a line feed, but not the data.
      if (this.#data) this.#onEvent(this.#event || 'message', this.#data.slice(0, -1))
      this.#event = this.#data = ''
    }
  }
}
