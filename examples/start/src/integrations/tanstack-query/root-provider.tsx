import { QueryClientProvider } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { activityLog } from '@query-tags/example-spa/activity/activity-log.ts'
import { TagInvalidationProvider } from '@query-tags/react'
import { createInvalidatorClient } from '@query-tags/start-client'

const invalidatorClient = createInvalidatorClient({
  sseBasePath: '/api/invalidator',
})

export default function TanStackQueryProvider({ children }: { children: React.ReactNode }) {
  const router = useRouter()
  const queryClient = router.options.context.queryClient

  return (
    <QueryClientProvider client={queryClient}>
      <TagInvalidationProvider
        client={invalidatorClient}
        queryClient={queryClient}
        router={router}
        onInvalidation={activityLog.add}
      >
        {children}
      </TagInvalidationProvider>
    </QueryClientProvider>
  )
}
