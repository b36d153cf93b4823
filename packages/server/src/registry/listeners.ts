import type { Recorded } from './tag-registry.ts'

type Listener = (recorded: Recorded) => void

/** Who listens to which scope. */
export class Listeners {
  readonly #byScope = new Map<string, Set<Listener>>()

  get scopes(): string[] {
    return [...this.#byScope.keys()]
  }

  has(scope: string): boolean {
    return this.#byScope.has(scope)
  }

  /** @returns the function that ends the subscription, at once. */
  add(scope: string, listener: Listener): () => void {
    // A wrapper, so that one function subscribed twice is two subscriptions.
    const entry: Listener = (recorded) => {
      listener(recorded)
    }
    const listeners = this.#byScope.get(scope) ?? new Set()
    this.#byScope.set(scope, listeners.add(entry))
    return () => {
      listeners.delete(entry)
      if (listeners.size === 0 && this.#byScope.get(scope) === listeners) this.#byScope.delete(scope)
    }
  }

  tell(scope: string, recorded: Recorded): void {
    for (const listener of this.#byScope.get(scope) ?? []) listener(recorded)
  }

  clear(): void {
    this.#byScope.clear()
  }
}
