import { userScope } from '@query-tags/example-shared/users'
import { QueryClientProvider, useQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { activityLog } from '@query-tags/example-spa/activity/activity-log.ts'
import { TagInvalidationProvider } from '@query-tags/react'
import { invalidatorClient } from '#/lib/invalidator-client'
import { userQuery } from '#/lib/queries'
import { SessionCheck } from './session-check'

export default function TanStackQueryProvider({ children }: { children: React.ReactNode }) {
  const router = useRouter()
  const queryClient = router.options.context.queryClient
  const { data: user } = useQuery(userQuery, queryClient)

  return (
    <QueryClientProvider client={queryClient}>
      <TagInvalidationProvider
        client={invalidatorClient}
        queryClient={queryClient}
        router={router}
        scope={user ? userScope(user) : undefined}
        onInvalidation={activityLog.add}
      >
        <SessionCheck />
        {children}
      </TagInvalidationProvider>
    </QueryClientProvider>
  )
}
