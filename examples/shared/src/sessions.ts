import { randomUUID } from 'node:crypto'
import type { User } from './users.ts'

export const SESSION_COOKIE = 'session'
/** No script of the page can read the cookie, and no page of another site sends it along with a POST. */
export const COOKIE_OPTIONS = { httpOnly: true, sameSite: 'lax', path: '/' } as const

/** Stands in for a session store. Users are not asked for a password: this is a demo of whose data change, not of logins. */
export interface Sessions {
  /** @returns the token for the cookie. */
  open(user: User): string
  userOf(token: string | undefined): User | undefined
  /** @returns whose session it was. */
  close(token: string | undefined): User | undefined
}

export function createSessions(): Sessions {
  const users = new Map<string | undefined, User>()
  return {
    open(user) {
      const token = randomUUID()
      users.set(token, user)
      return token
    },
    userOf: (token) => users.get(token),
    close(token) {
      const user = users.get(token)
      users.delete(token)
      return user
    },
  }
}
