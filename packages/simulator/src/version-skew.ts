/*
 * What a peer of the next version might send: fields and events that this version does not know, and has to ignore.
 */

const FIELD = '"later":{"tags":[["x"]],"v":2}'

/** An event, or an answer, or a request, with one field more. */
export function withUnknownField(json: string): string {
  return json.replace(/^\{/, `{${FIELD},`)
}

/** A piece of an event stream, with one field more in every event, and an event more. */
export function withUnknownEvent(events: string): string {
  const data = events.replaceAll('\ndata: {', `\ndata: {${FIELD},`)
  return `: a comment\n\nevent: renewed\ndata: {"tags":"*"}\n\n${data}`
}
