/** The bytes of one connection from Redis, cut into whole replies. */
export class ReplySplitter {
  #held: Buffer = Buffer.alloc(0)

  /** The replies that these bytes complete. */
  push(bytes: Buffer): Buffer[] {
    this.#held = this.#held.length > 0 ? Buffer.concat([this.#held, bytes]) : bytes
    const replies: Buffer[] = []
    let start = 0
    for (let end = endOfReply(this.#held, 0); end !== undefined; end = endOfReply(this.#held, start)) {
      replies.push(this.#held.subarray(start, end))
      start = end
    }
    this.#held = this.#held.subarray(start)
    return replies
  }
}

/** Whether a reply is what a subscriber is told: a message of a channel, in either version of the protocol. */
export function isMessage(reply: Buffer): boolean {
  return /^[*>]\d+\r\n\$\d+\r\n[ps]?message\r\n/.test(reply.toString('latin1', 0, 40))
}

/** Where the reply that begins at `start` ends; `undefined` while it is not complete. */
function endOfReply(bytes: Buffer, start: number): number | undefined {
  const lineEnd = bytes.indexOf('\r\n', start)
  if (lineEnd < 0) return undefined
  const type = String.fromCharCode(bytes[start]!)
  const count = Number(bytes.toString('latin1', start + 1, lineEnd))
  let end: number | undefined = lineEnd + 2
  if ('$=!'.includes(type)) {
    if (count >= 0) end += count + 2
    return end <= bytes.length ? end : undefined
  }
  if (!'*>~%|'.includes(type)) return end
  const parts = '%|'.includes(type) ? count * 2 : count
  for (let part = 0; part < parts && end !== undefined; part++) end = endOfReply(bytes, end)
  return end
}
