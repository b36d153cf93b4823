import { createSessions, SESSION_COOKIE } from '@query-tags/example-shared/sessions'
import { userScope } from '@query-tags/example-shared/users'
import { getCookie } from '@tanstack/react-start/server'
import { keep } from './keep'

export const sessions = keep('sessions', createSessions)

/** The token of whoever sent the request that is being answered. */
export const readToken = () => getCookie(SESSION_COOKIE)

/** The scopes of whoever has this token, besides the one that everybody is in. */
export function scopesOf(token: string | undefined) {
  const user = sessions.userOf(token)
  return user ? [userScope(user)] : []
}
