import { Outlet, createRootRoute, useRouter } from '@tanstack/react-router'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { TagInvalidationProvider } from '@query-tags/react'
import { invalidatorClient } from '../lib/invalidator-client'

const queryClient = new QueryClient()

export const Route = createRootRoute({ component: Root })

function Root() {
  const router = useRouter()
  return (
    <QueryClientProvider client={queryClient}>
      <TagInvalidationProvider client={invalidatorClient} queryClient={queryClient} router={router}>
        <Outlet />
      </TagInvalidationProvider>
    </QueryClientProvider>
  )
}
