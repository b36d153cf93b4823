import { persistedPositions } from '@query-tags/query-core'
import { experimental_createQueryPersister } from '@tanstack/query-persist-client-core'
import type { Page } from './page.ts'
import type { Sim } from './sim.ts'

/** How a page fetches with a persister that stores each query by itself. */
export type Persister = ReturnType<typeof experimental_createQueryPersister<string>>['persisterFn']

/** TanStack's own, over a store that takes its time. Everybody who uses this browser shares it, which no app should let them. */
export function createPersister(sim: Sim, page: Page, items: Map<string, string>): Persister {
  const { random, clock } = sim
  const after = (ms: number, callback: () => void) => clock.after(sim.world, ms, callback)
  const { persisterFn } = experimental_createQueryPersister({
    storage: {
      async getItem(key) {
        await sim.pause(page.process, random.between(0, 200))
        const item = items.get(key)
        if (item !== undefined) sim.saw('item is restored', () => `${page.name} ${key}`)
        return item
      },
      setItem(key, item) {
        // No app should keep a guess.
        if (page.isClosed || item.includes('"guess"')) return
        sim.saw('item is stored', () => `${page.name} ${key}`)
        items.set(key, item)
      },
      removeItem: (key) => void items.delete(key),
    },
    // Nobody would catch it when that fetch fails. The binding fetches what is marked.
    refetchOnRestore: false,
    // Without them everything that is restored has to be fetched.
    ...(random.chance(0.8) && persistedPositions(page.queryClient, { after })),
  })
  return persisterFn
}
