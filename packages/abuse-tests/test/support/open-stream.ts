import { type Frame, decodeFrame } from '@query-tags/core'
import { expect } from 'vitest'

export interface OpenStream {
  readonly status: number
  readonly headers: Headers
  /** Everything that came so far. */
  text(): string
  /** Every event that came so far, read strictly: one that can't be is an error. */
  frames(): Frame[]
  /** Resolves when the first frame has come: a hello, or the body of a refusal. */
  begun(): Promise<void>
  /** Resolves when the server has ended it. */
  readonly ended: Promise<void>
  leave(): void
}

/** Opens a stream and keeps what it brings. */
export async function openStream(url: string, init: RequestInit = {}): Promise<OpenStream> {
  const abort = new AbortController()
  const response = await fetch(url, { ...init, signal: abort.signal })
  let text = ''
  const ended = keep(response, (piece) => (text += piece)).catch((error: unknown) => {
    if (!abort.signal.aborted) throw error
  })
  return {
    status: response.status,
    headers: response.headers,
    text: () => text,
    frames: () => readFrames(text),
    begun: () => expect.poll(() => text, { timeout: 10_000 }).not.toBe(''),
    ended,
    leave: () => abort.abort(),
  }
}

async function keep(response: Response, onText: (text: string) => void): Promise<void> {
  const reader = response.body!.pipeThrough(new TextDecoderStream('utf-8', { fatal: true })).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    onText(value)
  }
}

/** As the standard says: any of CR, LF and CRLF ends a line, so that a raw one inside of data would show. */
function readFrames(text: string): Frame[] {
  const blocks = text.split(/(?:\r\n|\r|\n){2}/).slice(0, -1)
  return blocks.map((block) => {
    const fields = new Map<string, string>()
    for (const line of block.split(/\r\n|\r|\n/)) {
      const [, name, value] = /^(event|id|data): (.*)$/s.exec(line) ?? []
      if (!name || fields.has(name)) throw new Error(`not ours: ${JSON.stringify(block)}`)
      fields.set(name, value!)
    }
    const frame = decodeFrame(fields.get('event')!, fields.get('data')!)
    if (!frame) throw new Error(`unknown event: ${JSON.stringify(block)}`)
    return frame
  })
}
