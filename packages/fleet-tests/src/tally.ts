/** What happened, counted. */
export class Tally {
  /** Invalidations that a server said it has recorded. */
  acknowledged = 0
  /** Invalidations that a server refused, or of which no answer came. */
  rejected = 0
  /** Changes that a client saw because a frame named them. */
  delivered = 0
  /** Changes that a client saw because its scope was reset. */
  coveredByReset = 0
  /** Changes that a client saw in the answer to what it watched, or because that was expired. */
  coveredByAnswer = 0
  /** Frames about items that a client shows, of which it had seen everything. */
  duplicates = 0
  /** Frames about nothing that a client shows: it watches everything, or just hid it. */
  ignored = 0
  /** Scopes of clients that were reset. */
  resets = 0
  /** Streams that brought a hello. */
  hellos = 0

  /** What happened since an earlier copy. */
  since(earlier: Tally): Tally {
    const difference = new Tally()
    for (const name of Object.keys(this) as CountName[]) difference[name] = this[name] - earlier[name]
    return difference
  }

  copy(): Tally {
    return this.since(new Tally())
  }

  toString(): string {
    const names: CountName[] = ['acknowledged', 'rejected', 'delivered', 'resets', 'duplicates', 'ignored', 'hellos']
    const covered = `covered by resets ${this.coveredByReset}, by answers ${this.coveredByAnswer}`
    return `${names.map((name) => `${name} ${this[name]}`).join(', ')}, ${covered}`
  }
}

type CountName = { [K in keyof Tally]: Tally[K] extends number ? K : never }[keyof Tally]
