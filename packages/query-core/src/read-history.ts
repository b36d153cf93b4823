import type { Attachment } from '@query-tags/core/client'
import { UNSEEN, type ReadMoment } from './tagged-query.ts'

/** Data that the app writes by hand may have been read this long before, in milliseconds. */
export const MANUAL_DATA_AGE_MS = 30_000
/** At most one sample is kept in this many milliseconds. */
const SAMPLE_MS = 1000

/**
 * The binding's logical clock, and what the cursor was at earlier times. Samples are taken when something happens, by no timer: where
 * nothing happened, the sample before it is older, and older only ever means more refetches.
 */
export class ReadHistory {
  #clock = 0
  readonly #attachment: Pick<Attachment, 'position'>
  readonly #time: { now(): number }
  readonly #samples: { readonly time: number; readonly moment: ReadMoment }[] = []

  /** @param time Monotonic milliseconds. */
  constructor(attachment: Pick<Attachment, 'position'>, time: { now(): number }) {
    this.#attachment = attachment
    this.#time = time
  }

  /** The clock of an event that happens now, later than any before. */
  tick(): number {
    return ++this.#clock
  }

  /** The read moment of what begins to be read now. */
  moment(): ReadMoment {
    const moment = { clock: this.tick(), position: this.#attachment.position() }
    const time = this.#time.now()
    const last = this.#samples.at(-1)
    if (!last || time - last.time >= SAMPLE_MS) this.#samples.push({ time, moment })
    while (this.#samples.length > 1 && this.#samples[1]!.time <= time - MANUAL_DATA_AGE_MS) this.#samples.shift()
    return moment
  }

  /** The read moment of data that the app writes now. */
  manualMoment(): ReadMoment {
    this.moment()
    const oldest = this.#samples[0]!
    return this.#time.now() - oldest.time >= MANUAL_DATA_AGE_MS ? oldest.moment : UNSEEN
  }
}
