import type { Binding, InvalidatorClient } from '@query-tags/core/client'

/** The same client, but what a frame does to the cache throws now and then: before it did anything, or after it did everything. */
export function withFailingEffects(client: InvalidatorClient, fails: () => boolean): InvalidatorClient {
  const perform = (effect: () => void): void => {
    if (fails()) throw new Error('simulated: an effect failed')
    effect()
    if (fails()) throw new Error('simulated: an effect failed at its end')
  }
  const failing = (binding: Binding): Binding => ({
    onHello: () => perform(() => binding.onHello()),
    onInvalidate: (invalidation) =>
      // The app calls with a receipt itself, and would hear of it.
      invalidation.source === 'receipt'
        ? binding.onInvalidate(invalidation)
        : perform(() => binding.onInvalidate(invalidation)),
    onReset: (reset) => perform(() => binding.onReset(reset)),
    onMissed: (added, missed) => perform(() => binding.onMissed(added, missed)),
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
