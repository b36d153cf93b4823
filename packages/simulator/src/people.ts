import type { Scope } from '@query-tags/core'

/*
 * Who is in which scope. The identity of a scope is a secret in tildes, and so are the tags that are used in it: one look at the bytes that
 * somebody gets tells whether they are all for them.
 */

export type User = 'alice' | 'bob' | 'carol'

export const USERS: readonly User[] = ['alice', 'bob', 'carol']
const TEAM: Readonly<Record<User, string>> = { alice: 'red', bob: 'red', carol: 'blue' }

export const SCOPES: readonly Scope[] = [
  ...USERS.map(userScope),
  ...[...new Set(Object.values(TEAM))].map((team) => ({ kind: 'team', id: `~${team}~` })),
]

export function userScope(user: User): Scope & { readonly id: string } {
  return { kind: 'user', id: `~${user}~` }
}

/** Who a session belongs to. */
export function toUser(session: string): User | undefined {
  return USERS.find((user) => user === session)
}

/** The scopes of a user, besides the global one. Nobody is in none. */
export function scopesOf(user: User | undefined): readonly (Scope & { readonly id: string })[] {
  return user ? [userScope(user), { kind: 'team', id: `~${TEAM[user]}~` }] : []
}

/** The secrets in a text that are not for this user. */
export function foreignSecrets(text: string, user: User | undefined): string[] {
  const own = scopesOf(user).map(({ id }) => id)
  return [...new Set(text.match(/~\w+~/g))].filter((secret) => !own.includes(secret))
}
