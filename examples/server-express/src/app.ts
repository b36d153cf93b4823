import { createExpressMiddleware } from '@query-tags/adapter-express'
import type { Backend } from '@query-tags/example-shared/backend'
import { readText, readTodoChange } from '@query-tags/example-shared/input'
import { COOKIE_OPTIONS, SESSION_COOKIE } from '@query-tags/example-shared/sessions'
import { appTags } from '@query-tags/example-shared/tags'
import { findUser, userScope } from '@query-tags/example-shared/users'
import cookieParser from 'cookie-parser'
import express, { type Express, type Request } from 'express'

const tokenOf = (req: Request) => req.cookies[SESSION_COOKIE] as string | undefined

/** An ordinary Express app: each route that changes something says which tags changed, after it changed them. */
export function createApp({ system, database, sessions }: Backend): Express {
  const userOf = (req: Request) => sessions.userOf(tokenOf(req))

  /** First the session, then the streams that it let in: whoever comes back is nobody. */
  async function signOut(req: Request) {
    const user = sessions.close(tokenOf(req))
    if (user) await system.disconnect({ scope: userScope(user) })
  }

  const app = express()
  app.use(express.json(), cookieParser())
  app.use('/api/invalidator', createExpressMiddleware(system, { context: (req) => ({ user: userOf(req) }) }))

  // Otherwise a browser may answer a refetch from its own HTTP cache.
  app.use('/api', (_req, res, next) => {
    res.set('Cache-Control', 'no-cache')
    next()
  })

  app.get('/api/session', (req, res) => {
    res.json({ user: userOf(req) ?? null })
  })

  app.post('/api/session', async (req, res) => {
    const user = findUser(readText(req.body, 'user'))
    if (!user) return void res.status(400).json({ message: 'user must be the id of a user' })
    await signOut(req)
    res.cookie(SESSION_COOKIE, sessions.open(user), COOKIE_OPTIONS).json({ user })
  })

  app.delete('/api/session', async (req, res) => {
    await signOut(req)
    res.clearCookie(SESSION_COOKIE, COOKIE_OPTIONS).sendStatus(204)
  })

  app.get('/api/todos', (_req, res) => {
    res.json(database.listTodos())
  })

  app.get('/api/todos/:id', (req, res) => {
    const todo = database.findTodo(req.params.id)
    if (todo) res.json(todo)
    else res.sendStatus(404)
  })

  app.post('/api/todos', async (req, res) => {
    const title = readText(req.body, 'title')
    if (title === undefined) return void res.status(400).json({ message: 'title must be a non-empty string' })
    const todo = database.addTodo(title)
    await system.invalidateTags({ tags: [appTags.todos.list()] })
    res.status(201).json(todo)
  })

  app.patch('/api/todos/:id', async (req, res) => {
    const todo = database.updateTodo(req.params.id, readTodoChange(req.body))
    if (!todo) return void res.sendStatus(404)
    await system.invalidateTags({ tags: [appTags.todos.list(), appTags.todos.byId(todo.id)] })
    res.json(todo)
  })

  app.delete('/api/todos/:id', async (req, res) => {
    if (!database.deleteTodo(req.params.id)) return void res.sendStatus(404)
    await system.invalidateTags({ tags: [appTags.todos.list(), appTags.todos.byId(req.params.id)] })
    res.sendStatus(204)
  })

  app.get('/api/notes', (req, res) => {
    res.json(database.listNotes(userOf(req)?.id))
  })

  app.post('/api/notes', async (req, res) => {
    const user = userOf(req)
    const text = readText(req.body, 'text')
    if (text === undefined) return void res.status(400).json({ message: 'text must be a non-empty string' })
    const note = database.addNote(text, user?.id)
    // Nobody else hears that a user's own notes changed.
    if (user) await system.invalidateTags({ tags: [appTags.notes.of(user.id)], scope: userScope(user) })
    // A raw tag does as well as the contract's: they overlap when their keys are equal.
    else await system.invalidateTags({ tags: [['notes']] })
    res.status(201).json(note)
  })

  return app
}
