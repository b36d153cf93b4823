import type { Binding, InvalidatorClient } from '@query-tags/core/client'

/** Whether the effect of this name fails now, and how: before it did anything, in the midst of it, or when it did everything. */
export interface Trouble {
  fails(name: string): boolean
  /** From now on, until the returned function is called, whoever listens to the cache may throw. */
  disturb(): () => void
}

/** The same client, but what a frame does to the cache throws now and then. */
export function withFailingEffects(client: InvalidatorClient, trouble: Trouble): InvalidatorClient {
  const perform = (name: string, effect: () => void): void => {
    if (trouble.fails(name)) throw new Error('simulated: an effect failed')
    const calm = trouble.disturb()
    try {
      effect()
    } finally {
      calm()
    }
    if (trouble.fails(name)) throw new Error('simulated: an effect failed at its end')
  }
  const failing = (binding: Binding): Binding => ({
    onHello: () => perform('hello', () => binding.onHello()),
    onInvalidate: (invalidation) => perform(invalidation.source, () => binding.onInvalidate(invalidation)),
    onReset: (reset) => perform('reset', () => binding.onReset(reset)),
    onMissed: (added, missed, at) =>
      perform(missed.length > 0 ? 'missed tags' : 'nothing missed', () => binding.onMissed(added, missed, at)),
  })
  return {
    get status() {
      return client.status
    },
    subscribe: (listener) => client.subscribe(listener),
    attach: (binding, options) => client.attach(failing(binding), options),
    applyReceipt: (receipt) => client.applyReceipt(receipt),
    close: () => client.close(),
  }
}
