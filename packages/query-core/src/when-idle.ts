import { notifyManager, type QueryCache } from '@tanstack/query-core'
import { afterTask } from './after-task.ts'

/** Resolves once nothing is busy any more and observers have been told. What makes it busy, and what ends that, are events of the cache. */
export function whenIdle(cache: QueryCache, isBusy: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (isBusy()) return
      unsubscribe()
      // TanStack tells observers later, in order; this comes after them.
      notifyManager.schedule(resolve)
    }
    // After whatever else the event sets off.
    const unsubscribe = cache.subscribe(afterTask(look))
    look()
  })
}
