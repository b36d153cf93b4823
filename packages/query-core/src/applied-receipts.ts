import { toTagKey, type PlainTag } from '@query-tags/core'

/** Receipts whose frame is still expected on the stream; it comes within seconds, or never. */
const MAX_RECEIPTS = 100

export interface AppliedReceipt {
  /** The binding's clock when the receipt was applied. */
  readonly clock: number
  readonly tagKeys: ReadonlySet<string>
}

/**
 * Receipts that were applied ahead of the stream. When the frame of the same invalidation arrives, data that were fetched after the receipt
 * are newer than it, and need no second fetch.
 */
export class AppliedReceipts {
  readonly #receipts = new Map<string, AppliedReceipt>()

  add(scope: string, at: string, tags: readonly PlainTag[], clock: number): void {
    this.#receipts.set(`${at} ${scope}`, { clock, tagKeys: new Set(tags.map(toTagKey)) })
    const [oldest] = this.#receipts.keys()
    if (this.#receipts.size > MAX_RECEIPTS) this.#receipts.delete(oldest!)
  }

  find(scope: string, at: string): AppliedReceipt | undefined {
    return this.#receipts.get(`${at} ${scope}`)
  }
}
