/** How often something happened, by a label of a closed set. */
export class Counter<Label extends string> {
  readonly #counts: Map<Label, number>

  /** @param labels all there are: a series that begins at 0 shows its first step. */
  constructor(labels: readonly Label[]) {
    this.#counts = new Map(labels.map((label) => [label, 0]))
  }

  get counts(): ReadonlyMap<Label, number> {
    return this.#counts
  }

  add(label: Label): void {
    this.#counts.set(label, (this.#counts.get(label) ?? 0) + 1)
  }
}
