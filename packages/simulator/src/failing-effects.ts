import type { Binding, InvalidatorClient } from '@query-tags/core/client'

/**
 * The same client, but what a frame does to the cache throws now and then: before it did anything, or after it did everything.
 *
 * @param fails Whether the effect of this name does, this time.
 */
export function withFailingEffects(client: InvalidatorClient, fails: (name: string) => boolean): InvalidatorClient {
  const perform = (name: string, effect: () => void): void => {
    if (fails(name)) throw new Error('simulated: an effect failed')
    effect()
    if (fails(name)) throw new Error('simulated: an effect failed at its end')
  }
  const failing = (binding: Binding): Binding => ({
    onHello: () => perform('hello', () => binding.onHello()),
    onInvalidate: (invalidation) =>
      // The app calls with a receipt itself, and would hear of it.
      invalidation.source === 'receipt'
        ? binding.onInvalidate(invalidation)
        : perform('invalidation', () => binding.onInvalidate(invalidation)),
    onReset: (reset) => perform('reset', () => binding.onReset(reset)),
    onMissed: (added, missed) =>
      perform(missed.length > 0 ? 'missed tags' : 'nothing missed', () => binding.onMissed(added, missed)),
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
