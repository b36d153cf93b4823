export interface User {
  readonly id: string
  readonly name: string
}

export const USERS: readonly User[] = [
  { id: 'ada', name: 'Ada' },
  { id: 'grace', name: 'Grace' },
]

export function findUser(id: unknown): User | undefined {
  return USERS.find((user) => user.id === id)
}

/** Whose invalidations: the name by which the server and the page call what is of one user. */
export function userScope(user: User) {
  return { kind: 'user', id: user.id }
}
