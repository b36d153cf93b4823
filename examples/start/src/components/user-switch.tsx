import { USERS, type User } from '@query-tags/example-shared/users'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { signInMutation, signOutMutation } from '#/lib/mutations'

/** Who is signed in, and the way in and out. */
export function UserSwitch({ user }: { user: User | null }) {
  const queryClient = useQueryClient()
  const signIn = useMutation(signInMutation(queryClient))
  const signOut = useMutation(signOutMutation(queryClient))
  if (user) {
    return (
      <p className="user">
        Signed in as <strong>{user.name}</strong>
        <button className="button" disabled={signOut.isPending} onClick={() => signOut.mutate()}>
          Sign out
        </button>
      </p>
    )
  }
  return (
    <p className="user">
      Sign in as
      {USERS.map(({ id, name }) => (
        <button key={id} className="button" disabled={signIn.isPending} onClick={() => signIn.mutate(id)}>
          {name}
        </button>
      ))}
    </p>
  )
}
