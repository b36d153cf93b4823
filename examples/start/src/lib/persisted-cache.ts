import { QueryClient } from '@tanstack/react-query'
import { persistQueryClient, type PersistedClient, type Persister } from '@tanstack/query-persist-client-core'

const KEY = 'query-tags-rows'
const WRITE_MS = 300

let latest: PersistedClient | undefined
let timer: ReturnType<typeof setTimeout> | undefined

/** The simplest store there is. Real apps take IndexedDB, through a persister of their own. */
const localStoragePersister: Persister = {
  // Called at each change of the cache.
  persistClient: (client) => {
    latest = client
    timer ??= setTimeout(() => {
      timer = undefined
      localStorage.setItem(KEY, JSON.stringify(latest))
    }, WRITE_MS)
  },
  restoreClient: () => {
    const stored = localStorage.getItem(KEY)
    return stored === null ? undefined : (JSON.parse(stored) as PersistedClient)
  },
  removeClient: () => localStorage.removeItem(KEY),
}

let opened: Promise<QueryClient> | undefined

/** A cache that outlives the page. The cursor is stored with it, as one more entry. One for the page's life. */
export function persistedCache(): Promise<QueryClient> {
  opened ??= open()
  return opened
}

async function open(): Promise<QueryClient> {
  const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity, gcTime: Infinity } } })
  const [, restored] = persistQueryClient({ queryClient, persister: localStoragePersister, maxAge: Infinity })
  await restored
  return queryClient
}
