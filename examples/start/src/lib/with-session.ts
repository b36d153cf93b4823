import { createMiddleware } from '@tanstack/react-start'
import { readToken } from './sessions'

/** For server functions and the route. Whose session it is is looked up where it matters, so that the answer is never an old one. */
export const withSession = createMiddleware().server(({ next }) => next({ context: { token: readToken() } }))
