import { createTagInvalidationSystem } from '@query-tags/server'
import { keep } from './keep'
import { scopesOf } from './sessions'

/** What the system is told of a request. */
export interface Caller {
  readonly token: string | undefined
}

export const tagInvalidation = keep('tagInvalidation', () =>
  // Everybody hears of todos and posts, signed in or not; what is of one user is in a scope of that user.
  createTagInvalidationSystem<Caller>({ resolveScope: ({ token }) => scopesOf(token) }),
)
