import { runtime } from '@query-tags/core/client'

/** What a browser's store takes to answer, in milliseconds. */
export const STORE_MS = 50

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The storage of TanStack's per-query persister, which takes its time to read. */
export function itemStorage(items: Map<string, string>) {
  return {
    getItem: async (key: string) => {
      await pause(STORE_MS)
      return items.get(key)
    },
    setItem: async (key: string, item: string) => void items.set(key, item),
    removeItem: async (key: string) => void items.delete(key),
    entries: async () => [...items],
  }
}

/** The environment of a page that began to load then, in milliseconds of the wall clock. */
export const loadedAt = (wall: number) => ({ ...runtime, loadedAt: wall })
