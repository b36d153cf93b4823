import type { PlainTag, TagInput } from '@query-tags/core'
import type { TagBinding } from '@query-tags/query-core'

export type TagListener = Parameters<TagBinding['listen']>[1]

interface Listener {
  readonly tags: readonly PlainTag[]
  readonly callback: TagListener
  /** Ends it on the current binding. */
  stop: (() => void) | undefined
}

/**
 * Where hooks find the provider's binding. It stays the same while bindings come and go (another client, StrictMode), and takes listeners
 * along from one to the next, so that no hook has to render or run an effect again.
 */
export class BindingSlot {
  #binding: TagBinding | undefined
  readonly #listeners = new Set<Listener>()

  /** Puts a binding in place; the returned function takes it out and closes it. */
  fill(binding: TagBinding): () => void {
    this.#binding = binding
    for (const listener of this.#listeners) listener.stop = binding.listen(listener.tags, listener.callback)
    return () => {
      this.#binding = undefined
      for (const listener of this.#listeners) listener.stop = undefined
      binding.close()
    }
  }

  listen(tags: readonly PlainTag[], callback: TagListener): () => void {
    const listener: Listener = { tags, callback, stop: this.#binding?.listen(tags, callback) }
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
      listener.stop?.()
    }
  }

  invalidateLocally(tags: readonly TagInput[]): void {
    this.#binding?.invalidateLocally(tags)
  }
}
