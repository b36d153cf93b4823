import type { Binding } from '@query-tags/core/client'

/** Resolves once no refetch of a binding is under way any more and observers have been told. */
export function whenIdle(binding: Binding): Promise<void> {
  return new Promise((resolve) => {
    let isDue = false
    const look = (): void => {
      isDue = false
      if (binding.isBusy?.()) return
      unsubscribe?.()
      // TanStack Query tells observers in a task of its own, in order; this comes after it.
      setTimeout(resolve, 0)
    }
    const unsubscribe = binding.onActivity?.(() => {
      // After whatever else the event sets off.
      if (!isDue) queueMicrotask(look)
      isDue = true
    })
    look()
  })
}
