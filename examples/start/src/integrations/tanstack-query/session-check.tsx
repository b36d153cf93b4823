import { useInvalidationStatus } from '@query-tags/react'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { userQuery } from '#/lib/queries'

/** When the server refuses the stream of this user, the session has ended elsewhere: in another window, or with the server's memory. */
export function SessionCheck() {
  const queryClient = useQueryClient()
  const status = useInvalidationStatus()
  const isRefused = status.state === 'waiting' && status.reason === 'scope-denied'
  useEffect(() => {
    if (isRefused) void queryClient.invalidateQueries({ queryKey: userQuery.queryKey })
  }, [isRefused, queryClient])
  return null
}
