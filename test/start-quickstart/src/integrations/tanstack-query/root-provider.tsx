import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { TagInvalidationProvider } from '@query-tags/react'
import { createInvalidatorClient } from '@query-tags/start-client'
import { useState } from 'react'

const invalidatorClient = createInvalidatorClient({
  sseBasePath: '/api/invalidator',
})

export default function TanStackQueryProvider({ children }: { children: React.ReactNode }) {
  // "your QueryClient instance"
  const [queryClient] = useState(() => new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } }))
  const router = useRouter()

  return (
    <QueryClientProvider client={queryClient}>
      <TagInvalidationProvider
        client={invalidatorClient}
        queryClient={queryClient}
        router={router}
        // scope={{ kind: "user", id: currentUser.id }}  // optional
      >
        {children}
      </TagInvalidationProvider>
    </QueryClientProvider>
  )
}
