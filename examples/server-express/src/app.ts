import { createExpressMiddleware } from '@query-tags/adapter-express'
import type { Database } from '@query-tags/example-shared/database'
import { appTags } from '@query-tags/example-shared/tags'
import type { TagInvalidationSystem } from '@query-tags/server'
import express, { type Express } from 'express'

/** An ordinary Express app: each route that changes something says which tags changed, after it changed them. */
export function createApp(system: TagInvalidationSystem, database: Database): Express {
  const app = express()
  app.use(express.json())
  app.use('/api/invalidator', createExpressMiddleware(system))

  // Otherwise a browser may answer a refetch from its own HTTP cache.
  app.use('/api', (_req, res, next) => {
    res.set('Cache-Control', 'no-cache')
    next()
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
    const { title } = fieldsOf(req.body)
    if (!isText(title)) return void res.status(400).json({ message: 'title must be a non-empty string' })
    const todo = database.addTodo(title)
    await system.invalidateTags({ tags: [appTags.todos.list()] })
    res.status(201).json(todo)
  })

  app.patch('/api/todos/:id', async (req, res) => {
    const { title, done } = fieldsOf(req.body)
    const todo = database.updateTodo(req.params.id, {
      ...(isText(title) && { title }),
      ...(typeof done === 'boolean' && { done }),
    })
    if (!todo) return void res.sendStatus(404)
    await system.invalidateTags({ tags: [appTags.todos.list(), appTags.todos.byId(todo.id)] })
    res.json(todo)
  })

  app.delete('/api/todos/:id', async (req, res) => {
    if (!database.deleteTodo(req.params.id)) return void res.sendStatus(404)
    await system.invalidateTags({ tags: [appTags.todos.list(), appTags.todos.byId(req.params.id)] })
    res.sendStatus(204)
  })

  app.get('/api/notes', (_req, res) => {
    res.json(database.listNotes())
  })

  app.post('/api/notes', async (req, res) => {
    const { text } = fieldsOf(req.body)
    if (!isText(text)) return void res.status(400).json({ message: 'text must be a non-empty string' })
    const note = database.addNote(text)
    // A raw tag does as well as the contract's: they overlap when their keys are equal.
    await system.invalidateTags({ tags: [['notes']] })
    res.status(201).json(note)
  })

  return app
}

function fieldsOf(body: unknown): Partial<Record<string, unknown>> {
  return typeof body === 'object' && body !== null ? { ...body } : {}
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== ''
}
