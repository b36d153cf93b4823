import type { User } from '@query-tags/example-shared/users'
import { mutationOptions, queryOptions, useQuery } from '@tanstack/react-query'
import { fetchSession, signIn, signOut } from './api.ts'
import { queryClient } from './query-client.ts'

/** Who is signed in. It has no tags: nobody is told of sessions but the windows of this browser, which share the cookie. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: ({ signal }) => fetchSession(signal),
  // Nothing can be shown before it is known.
  retry: true,
  retryDelay: 1000,
})

const otherWindows = new BroadcastChannel('session')
otherWindows.addEventListener('message', () => void refreshSession())

/** Signs a user in, or with `null` whoever is signed in out. */
export const switchUserMutation = mutationOptions({
  mutationFn: (user: User | null) => (user ? signIn(user.id) : signOut()),
  onSuccess() {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- of windows; a channel has one origin
    otherWindows.postMessage('changed')
    return refreshSession()
  },
})

export function refreshSession(): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey })
}

/** The user who is signed in; only below what waits for the session. */
export function useUser(): User | undefined {
  return useQuery(sessionQuery).data?.user ?? undefined
}
