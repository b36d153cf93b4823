import { createHonoMiddleware } from '@query-tags/adapter-hono'
import type { Backend } from '@query-tags/example-shared/backend'
import { readText, readTodoChange } from '@query-tags/example-shared/input'
import { COOKIE_OPTIONS, SESSION_COOKIE } from '@query-tags/example-shared/sessions'
import { appTags } from '@query-tags/example-shared/tags'
import { findUser, userScope } from '@query-tags/example-shared/users'
import { type Context, Hono } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'

/** An ordinary Hono app: each route that changes something says which tags changed, after it changed them. */
export function createApp({ system, database, sessions }: Backend): Hono {
  const userOf = (c: Context) => sessions.userOf(getCookie(c, SESSION_COOKIE))

  /** First the session, then the streams that it let in: whoever comes back is nobody. */
  async function signOut(c: Context) {
    const user = sessions.close(getCookie(c, SESSION_COOKIE))
    if (user) await system.disconnect({ scope: userScope(user) })
  }

  const app = new Hono()
  app.use('/api/invalidator/*', createHonoMiddleware(system, { context: (c) => ({ user: userOf(c) }) }))

  // Otherwise a browser may answer a refetch from its own HTTP cache.
  app.use('/api/*', async (c, next) => {
    await next()
    c.header('Cache-Control', 'no-cache')
  })

  app.get('/api/session', (c) => c.json({ user: userOf(c) ?? null }))

  app.post('/api/session', async (c) => {
    const user = findUser(readText(await bodyOf(c), 'user'))
    if (!user) return c.json({ message: 'user must be the id of a user' }, 400)
    await signOut(c)
    setCookie(c, SESSION_COOKIE, sessions.open(user), COOKIE_OPTIONS)
    return c.json({ user })
  })

  app.delete('/api/session', async (c) => {
    await signOut(c)
    deleteCookie(c, SESSION_COOKIE, COOKIE_OPTIONS)
    return c.body(null, 204)
  })

  app.get('/api/todos', (c) => c.json(database.listTodos()))

  app.get('/api/todos/:id', (c) => {
    const todo = database.findTodo(c.req.param('id'))
    return todo ? c.json(todo) : c.notFound()
  })

  app.post('/api/todos', async (c) => {
    const title = readText(await bodyOf(c), 'title')
    if (title === undefined) return c.json({ message: 'title must be a non-empty string' }, 400)
    const todo = database.addTodo(title)
    await system.invalidateTags({ tags: [appTags.todos.list()] })
    return c.json(todo, 201)
  })

  app.patch('/api/todos/:id', async (c) => {
    const todo = database.updateTodo(c.req.param('id'), readTodoChange(await bodyOf(c)))
    if (!todo) return c.notFound()
    await system.invalidateTags({ tags: [appTags.todos.list(), appTags.todos.byId(todo.id)] })
    return c.json(todo)
  })

  app.delete('/api/todos/:id', async (c) => {
    const id = c.req.param('id')
    if (!database.deleteTodo(id)) return c.notFound()
    await system.invalidateTags({ tags: [appTags.todos.list(), appTags.todos.byId(id)] })
    return c.body(null, 204)
  })

  app.get('/api/notes', (c) => c.json(database.listNotes(userOf(c)?.id)))

  app.post('/api/notes', async (c) => {
    const user = userOf(c)
    const text = readText(await bodyOf(c), 'text')
    if (text === undefined) return c.json({ message: 'text must be a non-empty string' }, 400)
    const note = database.addNote(text, user?.id)
    // Nobody else hears that a user's own notes changed.
    if (user) await system.invalidateTags({ tags: [appTags.notes.of(user.id)], scope: userScope(user) })
    // A raw tag does as well as the contract's: they overlap when their keys are equal.
    else await system.invalidateTags({ tags: [['notes']] })
    return c.json(note, 201)
  })

  return app
}

/** `undefined` for a body that is no JSON: it has no field that anybody asks for. */
function bodyOf(c: Context): Promise<unknown> {
  return c.req.json().catch(() => undefined)
}
