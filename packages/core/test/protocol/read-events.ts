export interface StreamEvent {
  readonly event: string
  readonly data: string
  readonly lastEventId: string
}

/** What a browser makes of a whole event stream, by the letter of the WHATWG's "interpreting an event stream". */
export function readEvents(stream: string): StreamEvent[] {
  const events: StreamEvent[] = []
  let [event, data, lastEventId] = ['', '', '']
  for (const line of stream.replace(/^\ufeff/, '').split(/\r\n|\n|\r/)) {
    if (line === '') {
      if (data !== '') events.push({ event: event || 'message', data: data.slice(0, -1), lastEventId })
      event = data = ''
      continue
    }
    const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!
    if (field === 'event') event = value ?? ''
    if (field === 'data') data += `${value ?? ''}\n`
    if (field === 'id' && !value?.includes('\0')) lastEventId = value ?? ''
  }
  return events
}
