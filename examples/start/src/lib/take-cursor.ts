import { createIsomorphicFn } from '@tanstack/react-start'
import { readToken, scopesOf } from './sessions'
import { tagInvalidation } from './tag-invalidation'

/** How old the data are that this request is going to render. In a browser there is nothing to take. */
export const takeCursor = createIsomorphicFn().server(() => tagInvalidation.cursor(scopesOf(readToken())))
