import { useInvalidationStatus } from '@query-tags/react'
import { USERS } from '@query-tags/example-shared/users'
import { useMutation } from '@tanstack/react-query'
import { useEffect } from 'react'
import { refreshSession, switchUserMutation, useUser } from '../lib/session.ts'

/** Who is signed in, and the way in and out. */
export function UserSwitch() {
  const user = useUser()
  const { mutate, isPending } = useMutation(switchUserMutation)
  useSessionCheck()
  if (user) {
    return (
      <p className="user">
        <strong>{user.name}</strong>
        <button className="quiet" disabled={isPending} onClick={() => mutate(null)}>
          Sign out
        </button>
      </p>
    )
  }
  return (
    <p className="user">
      Sign in as
      {USERS.map((each) => (
        <button key={each.id} className="quiet" disabled={isPending} onClick={() => mutate(each)}>
          {each.name}
        </button>
      ))}
    </p>
  )
}

/** When the server refuses the stream of this user, the session has ended elsewhere: on another device, or with the server's memory. */
function useSessionCheck() {
  const status = useInvalidationStatus()
  const isRefused = status.state === 'waiting' && status.reason === 'scope-denied'
  useEffect(() => {
    if (isRefused) void refreshSession()
  }, [isRefused])
}
