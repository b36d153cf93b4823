import cookie from '@fastify/cookie'
import { createFastifyPlugin } from '@query-tags/adapter-fastify'
import type { Backend } from '@query-tags/example-shared/backend'
import { readText, readTodoChange } from '@query-tags/example-shared/input'
import { COOKIE_OPTIONS, SESSION_COOKIE } from '@query-tags/example-shared/sessions'
import { appTags } from '@query-tags/example-shared/tags'
import { findUser, userScope } from '@query-tags/example-shared/users'
import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify'

interface ById {
  Params: { id: string }
}

const tokenOf = (request: FastifyRequest) => request.cookies[SESSION_COOKIE]

/** An ordinary Fastify app: each route that changes something says which tags changed, after it changed them. */
export async function createApp({ system, database, sessions }: Backend): Promise<FastifyInstance> {
  const userOf = (request: FastifyRequest) => sessions.userOf(tokenOf(request))

  /** First the session, then the streams that it let in: whoever comes back is nobody. */
  async function signOut(request: FastifyRequest) {
    const user = sessions.close(tokenOf(request))
    if (user) await system.disconnect({ scope: userScope(user) })
  }

  const app = fastify()
  await app.register(cookie)
  await app.register(createFastifyPlugin(system, { context: (request) => ({ user: userOf(request) }) }), {
    prefix: '/api/invalidator',
  })

  await app.register(async (api) => {
    // Otherwise a browser may answer a refetch from its own HTTP cache.
    api.addHook('onRequest', async (_request, reply) => {
      reply.header('Cache-Control', 'no-cache')
    })

    api.get('/api/session', async (request) => ({ user: userOf(request) ?? null }))

    api.post('/api/session', async (request, reply) => {
      const user = findUser(readText(request.body, 'user'))
      if (!user) return reply.code(400).send({ message: 'user must be the id of a user' })
      await signOut(request)
      reply.setCookie(SESSION_COOKIE, sessions.open(user), COOKIE_OPTIONS)
      return { user }
    })

    api.delete('/api/session', async (request, reply) => {
      await signOut(request)
      return reply.clearCookie(SESSION_COOKIE, COOKIE_OPTIONS).code(204).send()
    })

    api.get('/api/todos', async () => database.listTodos())

    api.get<ById>('/api/todos/:id', async (request, reply) => {
      return database.findTodo(request.params.id) ?? reply.callNotFound()
    })

    api.post('/api/todos', async (request, reply) => {
      const title = readText(request.body, 'title')
      if (title === undefined) return reply.code(400).send({ message: 'title must be a non-empty string' })
      const todo = database.addTodo(title)
      await system.invalidateTags({ tags: [appTags.todos.list()] })
      return reply.code(201).send(todo)
    })

    api.patch<ById>('/api/todos/:id', async (request, reply) => {
      const todo = database.updateTodo(request.params.id, readTodoChange(request.body))
      if (!todo) return reply.callNotFound()
      await system.invalidateTags({ tags: [appTags.todos.list(), appTags.todos.byId(todo.id)] })
      return todo
    })

    api.delete<ById>('/api/todos/:id', async (request, reply) => {
      const { id } = request.params
      if (!database.deleteTodo(id)) return reply.callNotFound()
      await system.invalidateTags({ tags: [appTags.todos.list(), appTags.todos.byId(id)] })
      return reply.code(204).send()
    })

    api.get('/api/notes', async (request) => database.listNotes(userOf(request)?.id))

    api.post('/api/notes', async (request, reply) => {
      const user = userOf(request)
      const text = readText(request.body, 'text')
      if (text === undefined) return reply.code(400).send({ message: 'text must be a non-empty string' })
      const note = database.addNote(text, user?.id)
      // Nobody else hears that a user's own notes changed.
      if (user) await system.invalidateTags({ tags: [appTags.notes.of(user.id)], scope: userScope(user) })
      // A raw tag does as well as the contract's: they overlap when their keys are equal.
      else await system.invalidateTags({ tags: [['notes']] })
      return reply.code(201).send(note)
    })
  })

  return app
}
