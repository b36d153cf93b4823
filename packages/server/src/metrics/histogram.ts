/** Upper bounds of the buckets, in seconds. */
const BOUNDS: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** Durations, counted in buckets. */
export class Histogram {
  /** One more than there are bounds: the last takes what is above all of them. */
  readonly #counts: number[] = BOUNDS.map(() => 0).concat(0)
  #sum = 0

  observe(seconds: number): void {
    const bucket = BOUNDS.findIndex((bound) => seconds <= bound)
    this.#counts[bucket < 0 ? BOUNDS.length : bucket]!++
    this.#sum += seconds
  }

  get sum(): number {
    return this.#sum
  }

  /** How many were at most as long as each bound, the last one being infinite. */
  get cumulative(): readonly { readonly bound: number; readonly count: number }[] {
    let count = 0
    return this.#counts.map((inBucket, i) => ({ bound: BOUNDS[i] ?? Infinity, count: (count += inBucket) }))
  }
}
