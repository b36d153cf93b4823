/** What happened, line by line: a hash of all lines, and the lines themselves when somebody wants to read them. */
export class Trace {
  readonly #onLine: ((line: string) => void) | undefined
  #high = 0x9e3779b9
  #low = 0x85ebca6b

  constructor(onLine?: (line: string) => void) {
    this.#onLine = onLine
  }

  add(line: string): void {
    for (let i = 0; i < line.length; i++) {
      const unit = line.charCodeAt(i)
      this.#high = Math.imul(this.#high ^ unit, 0x01000193)
      this.#low = Math.imul(this.#low ^ unit, 0x5bd1e995)
    }
    this.#onLine?.(line)
  }

  /** 64 bits in hexadecimal. */
  get hash(): string {
    return [this.#high, this.#low].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
  }
}

/** How often things happened. */
export class Tally {
  readonly #counts = new Map<string, number>()

  count(name: string, times = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + times)
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  add(other: Iterable<readonly [name: string, times: number]>): void {
    for (const [name, times] of other) this.count(name, times)
  }

  /** In alphabetical order. */
  entries(): [name: string, times: number][] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1))
  }
}
