import { bodyParser } from '@koa/bodyparser'
import { Router } from '@koa/router'
import { createKoaMiddleware } from '@query-tags/adapter-koa'
import type { Backend } from '@query-tags/example-shared/backend'
import { readText, readTodoChange } from '@query-tags/example-shared/input'
import { COOKIE_OPTIONS, SESSION_COOKIE } from '@query-tags/example-shared/sessions'
import { appTags } from '@query-tags/example-shared/tags'
import { findUser, userScope } from '@query-tags/example-shared/users'
import Koa, { type Context } from 'koa'

const tokenOf = (ctx: Pick<Context, 'cookies'>) => ctx.cookies.get(SESSION_COOKIE)

/** An ordinary Koa app: each route that changes something says which tags changed, after it changed them. */
export function createApp({ system, database, sessions }: Backend): Koa {
  const userOf = (ctx: Pick<Context, 'cookies'>) => sessions.userOf(tokenOf(ctx))

  /** First the session, then the streams that it let in: whoever comes back is nobody. */
  async function signOut(ctx: Pick<Context, 'cookies'>) {
    const user = sessions.close(tokenOf(ctx))
    if (user) await system.disconnect({ scope: userScope(user) })
  }

  const router = new Router()
  router.all('/api/invalidator{/*path}', createKoaMiddleware(system, { context: (ctx) => ({ user: userOf(ctx) }) }))

  // Otherwise a browser may answer a refetch from its own HTTP cache.
  router.use(async (ctx, next) => {
    ctx.set('Cache-Control', 'no-cache')
    await next()
  })

  router.get('/api/session', (ctx) => {
    ctx.body = { user: userOf(ctx) ?? null }
  })

  router.post('/api/session', async (ctx) => {
    const user = findUser(readText(ctx.request.body, 'user'))
    if (!user) return refuse(ctx, 'user must be the id of a user')
    await signOut(ctx)
    ctx.cookies.set(SESSION_COOKIE, sessions.open(user), COOKIE_OPTIONS)
    ctx.body = { user }
  })

  router.delete('/api/session', async (ctx) => {
    await signOut(ctx)
    ctx.cookies.set(SESSION_COOKIE, null, COOKIE_OPTIONS)
    ctx.status = 204
  })

  router.get('/api/todos', (ctx) => {
    ctx.body = database.listTodos()
  })

  // What sets no body is answered with 404.
  router.get('/api/todos/:id', (ctx) => {
    const todo = database.findTodo(ctx.params['id']!)
    if (todo) ctx.body = todo
  })

  router.post('/api/todos', async (ctx) => {
    const title = readText(ctx.request.body, 'title')
    if (title === undefined) return refuse(ctx, 'title must be a non-empty string')
    const todo = database.addTodo(title)
    await system.invalidateTags({ tags: [appTags.todos.list()] })
    ctx.status = 201
    ctx.body = todo
  })

  router.patch('/api/todos/:id', async (ctx) => {
    const todo = database.updateTodo(ctx.params['id']!, readTodoChange(ctx.request.body))
    if (!todo) return
    await system.invalidateTags({ tags: [appTags.todos.list(), appTags.todos.byId(todo.id)] })
    ctx.body = todo
  })

  router.delete('/api/todos/:id', async (ctx) => {
    const id = ctx.params['id']!
    if (!database.deleteTodo(id)) return
    await system.invalidateTags({ tags: [appTags.todos.list(), appTags.todos.byId(id)] })
    ctx.status = 204
  })

  router.get('/api/notes', (ctx) => {
    ctx.body = database.listNotes(userOf(ctx)?.id)
  })

  router.post('/api/notes', async (ctx) => {
    const user = userOf(ctx)
    const text = readText(ctx.request.body, 'text')
    if (text === undefined) return refuse(ctx, 'text must be a non-empty string')
    const note = database.addNote(text, user?.id)
    // Nobody else hears that a user's own notes changed.
    if (user) await system.invalidateTags({ tags: [appTags.notes.of(user.id)], scope: userScope(user) })
    // A raw tag does as well as the contract's: they overlap when their keys are equal.
    else await system.invalidateTags({ tags: [['notes']] })
    ctx.status = 201
    ctx.body = note
  })

  const app = new Koa()
  app.use(bodyParser())
  app.use(router.routes())
  return app
}

function refuse(ctx: { status: number; body: unknown }, message: string): void {
  ctx.status = 400
  ctx.body = { message }
}
