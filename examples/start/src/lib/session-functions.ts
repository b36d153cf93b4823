import { COOKIE_OPTIONS, SESSION_COOKIE } from '@query-tags/example-shared/sessions'
import { findUser, userScope } from '@query-tags/example-shared/users'
import { createServerFn } from '@tanstack/react-start'
import { deleteCookie, setCookie } from '@tanstack/react-start/server'
import { z } from 'zod'
import { db } from './db'
import { sessions } from './sessions'
import { appTags } from './tag-contract'
import { tagInvalidation } from './tag-invalidation'
import { withSession } from './with-session'

export const fetchUser = createServerFn()
  .middleware([withSession])
  .handler(({ context }) => sessions.userOf(context.token) ?? null)

/** No password: this is a demo of whose data change, not of logins. */
export const signInServerFn = createServerFn({ method: 'POST' })
  .middleware([withSession])
  .validator(
    z
      .string()
      .transform(findUser)
      .pipe(z.object({ id: z.string(), name: z.string() })),
  )
  .handler(async ({ data: user, context }) => {
    await endSession(context.token)
    setCookie(SESSION_COOKIE, sessions.open(user), COOKIE_OPTIONS)
  })

export const signOutServerFn = createServerFn({ method: 'POST' })
  .middleware([withSession])
  .handler(async ({ context }) => {
    await endSession(context.token)
    deleteCookie(SESSION_COOKIE, COOKIE_OPTIONS)
  })

/** The page says whose notes it wants, as another window may have signed in somebody else meanwhile. */
export const fetchPrivateNotes = createServerFn()
  .middleware([withSession])
  .validator(z.string())
  .handler(({ data: owner, context }) => {
    if (sessions.userOf(context.token)?.id !== owner) throw new Error('These are the notes of somebody else.')
    return db.listPrivateNotes(owner)
  })

export const addPrivateNoteServerFn = createServerFn({ method: 'POST' })
  .middleware([withSession])
  .validator(z.string().trim().min(1))
  .handler(async ({ data, context }) => {
    const user = sessions.userOf(context.token)
    if (!user) throw new Error('Sign in first.')
    await db.insertPrivateNote(user.id, data)
    // The tag is the same for every user; the scope says who hears of it.
    await tagInvalidation.invalidateTags({ tags: [appTags.notes.private()], scope: userScope(user) })
  })

/** First the session, then the streams that it let in: whoever comes back is nobody. */
async function endSession(token: string | undefined): Promise<void> {
  const user = sessions.close(token)
  if (user) await tagInvalidation.disconnect({ scope: userScope(user) })
}
