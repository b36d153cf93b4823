import { createHTTPInvalidatorClient } from '@query-tags/http-client'
import { type Scope, withTags } from '@query-tags/core'
import { createTagInvalidationSystem } from '@query-tags/server'
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'

interface WorldOptions {
  /** What the server resolves every caller to. */
  scope?: Scope
  basePath?: string
}

/** A real server in this process, a client that reaches it without a network, and data that only the server's word refreshes. */
export function createTaggedWorld({ scope, basePath = '/api/invalidator' }: WorldOptions = {}) {
  const system = createTagInvalidationSystem(scope ? { resolveScope: () => scope } : {})
  const handle = system.createAPIHandler({ basePath })
  /** Paths that were asked for. */
  const requests: string[] = []

  const reach: typeof fetch = (input, init) => {
    const request = new Request(input instanceof Request ? input : new URL(input, location.href), init)
    requests.push(`${request.method} ${new URL(request.url).pathname}`)
    return handle(request)
  }
  const createClient = () => createHTTPInvalidatorClient({ fetch: reach })
  const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity, retry: false } } })
  const database = { todos: 1, notes: 1 }
  const reads = { todos: 0, notes: 0 }

  const optionsOf = (name: 'todos' | 'notes') =>
    withTags(
      {
        queryKey: [name],
        queryFn: () => {
          reads[name]++
          return database[name]
        },
      },
      [[name]],
    )

  function Value({ name }: { name: 'todos' | 'notes' }) {
    const { data } = useQuery(optionsOf(name))
    return <p>{`${name} ${data}`}</p>
  }

  return {
    system,
    requests,
    reach,
    database,
    reads,
    optionsOf,
    queryClient,
    createClient,
    Value,
    /** Changes what a query reads, and has the server say so. */
    async change(name: 'todos' | 'notes'): Promise<void> {
      database[name]++
      await system.invalidateTags({ tags: [[name]] })
    },
    withQueryClient: ({ children }: { children: ReactNode }) => (
      <QueryClientProvider client={queryClient}>{children}</QueryClientProvider>
    ),
  }
}
