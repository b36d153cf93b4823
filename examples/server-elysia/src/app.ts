import { createElysiaPlugin } from '@query-tags/adapter-elysia'
import type { Backend } from '@query-tags/example-shared/backend'
import { readText, readTodoChange } from '@query-tags/example-shared/input'
import { COOKIE_OPTIONS, SESSION_COOKIE } from '@query-tags/example-shared/sessions'
import { appTags } from '@query-tags/example-shared/tags'
import { findUser, userScope } from '@query-tags/example-shared/users'
import { type Context, Elysia, type ElysiaConfig } from 'elysia'

type Cookies = Context['cookie']

const tokenOf = (cookie: Cookies) => cookie[SESSION_COOKIE]?.value as string | undefined

/** An ordinary Elysia app: each route that changes something says which tags changed, after it changed them. */
export function createApp({ system, database, sessions }: Backend, config: ElysiaConfig<''> = {}) {
  const userOf = (cookie: Cookies) => sessions.userOf(tokenOf(cookie))

  /** First the session, then the streams that it let in: whoever comes back is nobody. */
  async function signOut(cookie: Cookies) {
    const user = sessions.close(tokenOf(cookie))
    if (user) await system.disconnect({ scope: userScope(user) })
  }

  return (
    new Elysia(config)
      .use(
        createElysiaPlugin(system, {
          prefix: '/api/invalidator',
          context: ({ cookie }) => ({ user: userOf(cookie) }),
        }),
      )
      // Otherwise a browser may answer a refetch from its own HTTP cache.
      .onRequest(({ set }) => {
        set.headers['cache-control'] = 'no-cache'
      })
      .get('/api/session', ({ cookie }) => ({ user: userOf(cookie) ?? null }))
      .post('/api/session', async ({ body, cookie, status }) => {
        const user = findUser(readText(body, 'user'))
        if (!user) return status(400, { message: 'user must be the id of a user' })
        await signOut(cookie)
        cookie[SESSION_COOKIE]!.set({ value: sessions.open(user), ...COOKIE_OPTIONS })
        return { user }
      })
      .delete('/api/session', async ({ cookie, set }) => {
        await signOut(cookie)
        cookie[SESSION_COOKIE]!.set({ value: '', maxAge: 0, ...COOKIE_OPTIONS })
        set.status = 204
      })
      .get('/api/todos', () => database.listTodos())
      .get('/api/todos/:id', ({ params, status }) => database.findTodo(params.id) ?? status(404))
      .post('/api/todos', async ({ body, status }) => {
        const title = readText(body, 'title')
        if (title === undefined) return status(400, { message: 'title must be a non-empty string' })
        const todo = database.addTodo(title)
        await system.invalidateTags({ tags: [appTags.todos.list()] })
        return status(201, todo)
      })
      .patch('/api/todos/:id', async ({ body, params, status }) => {
        const todo = database.updateTodo(params.id, readTodoChange(body))
        if (!todo) return status(404)
        await system.invalidateTags({ tags: [appTags.todos.list(), appTags.todos.byId(todo.id)] })
        return todo
      })
      .delete('/api/todos/:id', async ({ params, set, status }) => {
        if (!database.deleteTodo(params.id)) return status(404)
        await system.invalidateTags({ tags: [appTags.todos.list(), appTags.todos.byId(params.id)] })
        set.status = 204
        return undefined
      })
      .get('/api/notes', ({ cookie }) => database.listNotes(userOf(cookie)?.id))
      .post('/api/notes', async ({ body, cookie, status }) => {
        const user = userOf(cookie)
        const text = readText(body, 'text')
        if (text === undefined) return status(400, { message: 'text must be a non-empty string' })
        const note = database.addNote(text, user?.id)
        // Nobody else hears that a user's own notes changed.
        if (user) await system.invalidateTags({ tags: [appTags.notes.of(user.id)], scope: userScope(user) })
        // A raw tag does as well as the contract's: they overlap when their keys are equal.
        else await system.invalidateTags({ tags: [['notes']] })
        return status(201, note)
      })
  )
}
