/** The bytes of one direction of a connection with Redis, cut into whole commands or replies. */
export class RespSplitter {
  #held: Buffer = Buffer.alloc(0)

  /** Those that these bytes complete. */
  push(bytes: Buffer): Buffer[] {
    this.#held = this.#held.length > 0 ? Buffer.concat([this.#held, bytes]) : bytes
    const complete: Buffer[] = []
    let start = 0
    for (let end = endOf(this.#held, 0); end !== undefined; end = endOf(this.#held, start)) {
      complete.push(this.#held.subarray(start, end))
      start = end
    }
    this.#held = this.#held.subarray(start)
    return complete
  }
}

/** Whether a reply is what a subscriber is told: a message of a channel, in either version of the protocol. */
export function isMessage(reply: Buffer): boolean {
  return /^[*>]\d+\r\n\$\d+\r\n[ps]?message\r\n/.test(reply.toString('latin1', 0, 40))
}

/** The name of a command in lower case; of one that runs a script, the script's first argument. */
export function nameOf(command: Buffer): string {
  // Every other line is a length.
  const words = command
    .toString('latin1')
    .split('\r\n')
    .slice(2)
    .filter((_, i) => i % 2 === 0)
  const name = words[0]?.toLowerCase() ?? ''
  return /^eval(sha)?$/.test(name) ? (words[3 + Number(words[2])] ?? name) : name
}

/** Where what begins at `start` ends; `undefined` while it is not complete. */
function endOf(bytes: Buffer, start: number): number | undefined {
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
  for (let part = 0; part < parts && end !== undefined; part++) end = endOf(bytes, end)
  return end
}
