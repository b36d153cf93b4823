import { decodeFrame, type Frame, type Frames } from '@query-tags/core'
import type { EventSink, StreamSource } from '../../src/hub/sink.ts'
import type { Outcome } from '../../src/http/outcome.ts'

/** A response that keeps what is written to it, and takes no more on demand. */
export class TestSink implements EventSink {
  readonly chunks: Uint8Array[] = []
  isEnded = false
  isDestroyed = false
  source: StreamSource | undefined
  #isFull = false

  write(bytes: Uint8Array): boolean {
    this.chunks.push(bytes)
    return !this.#isFull
  }

  end(): void {
    this.isEnded = true
    if (!this.#isFull) this.leave()
  }

  destroy(): void {
    this.isDestroyed = true
    this.leave()
  }

  /** The client's end is gone. */
  leave(): void {
    // As a writer does: after the call that caused it.
    queueMicrotask(() => {
      this.source?.closed()
    })
  }

  /** The reader stops reading: from the next write on the sink is full. */
  stop(): void {
    this.#isFull = true
  }

  /** The reader goes on. */
  resume(): void {
    this.#isFull = false
    this.source?.drained()
  }

  get text(): string {
    return new TextDecoder().decode(Buffer.concat(this.chunks))
  }

  get frames(): Frame[] {
    return decodeFrames(this.text)
  }

  /** The data of all frames of one kind. */
  all<K extends keyof Frames>(event: K): Frames[K][] {
    return this.frames.filter((frame) => frame.event === event).map((frame) => frame.data as Frames[K])
  }

  get hello(): Frames['hello'] {
    return this.all('hello')[0]!
  }

  /** The tags of all `invalidate` frames, as JSON, in order. */
  get tags(): string[] {
    return this.all('invalidate').flatMap(({ tags }) => tags.map((tag) => JSON.stringify(tag)))
  }

  /** The names of the frames in order. */
  get events(): string[] {
    return this.frames.map(({ event }) => event)
  }
}

export function decodeFrames(text: string): Frame[] {
  const blocks = text.split('\n\n').slice(0, -1)
  return blocks.map((block) => {
    const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s, 2))) as Record<
      string,
      string
    >
    return decodeFrame(fields['event']!, fields['data']!)!
  })
}

/** Opens the stream of an outcome. Fails with the answer when it is none. */
export function openSink(outcome: Outcome): TestSink {
  if (outcome.kind !== 'stream') throw new Error(`${outcome.status} ${outcome.body}`)
  const sink = new TestSink()
  sink.source = outcome.open(sink)
  return sink
}
