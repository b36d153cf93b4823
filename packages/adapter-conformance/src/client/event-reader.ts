import type { Readable } from 'node:stream'
import { decodeFrame, type Frame, type Frames } from '@query-tags/core'
import { vi } from 'vitest'

const PATIENCE = { timeout: 5000, interval: 5 }

/** Collects what one response carries. It reads as soon as it is made, and stops while it is paused. */
export class EventReader {
  readonly frames: Frame[] = []
  /** Everything received. */
  text = ''
  isOver = false
  readonly #source: Readable
  #rest = ''

  constructor(source: Readable) {
    this.#source = source
    source.setEncoding('utf8')
    source.on('data', (text: string) => {
      this.#take(text)
    })
    source.on('close', () => {
      this.isOver = true
    })
    // 'close' follows; a test that leaves, or whose server cuts it off, expects no more.
    source.on('error', () => undefined)
  }

  /** The first frame of a kind that passes the test, once it is here. */
  until<K extends keyof Frames>(event: K, test: (data: Frames[K]) => boolean = () => true): Promise<Frames[K]> {
    return vi.waitFor(() => {
      const found = this.frames.find((frame) => frame.event === event && test(frame.data as Frames[K]))
      if (!found) throw new Error(`No such ${event} in ${this.text.slice(0, 2000)}`)
      return found.data as Frames[K]
    }, PATIENCE)
  }

  /** Waits for the end of the response. */
  over(): Promise<void> {
    return vi.waitFor(() => {
      if (!this.isOver) throw new Error('The response is still open')
    }, PATIENCE)
  }

  /** The whole body as JSON. */
  async json(): Promise<unknown> {
    await this.over()
    return JSON.parse(this.text)
  }

  pause(): void {
    this.#source.pause()
  }

  resume(): void {
    this.#source.resume()
  }

  #take(text: string): void {
    this.text += text
    const events = (this.#rest + text).split('\n\n')
    this.#rest = events.pop() ?? ''
    for (const event of events) {
      const fields = new Map(event.split('\n').map((line) => line.split(/: ?(.*)/s, 2) as [string, string]))
      const frame = decodeFrame(fields.get('event') ?? '', fields.get('data') ?? '')
      if (frame) this.frames.push(frame)
    }
  }
}
