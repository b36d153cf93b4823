import express from 'express'
import cors from 'cors'
import { createTagInvalidationSystem } from '@query-tags/server'
import { createExpressMiddleware } from '@query-tags/adapter-express'
import { db } from './db.ts'

const system = createTagInvalidationSystem()

const app = express()
app.use(cors())
app.use(express.json())

// Mount the invalidation API — handles both SSE stream and control endpoints
app.use('/api/invalidator', createExpressMiddleware(system))

// Call invalidateTags in any mutation handler
app.post('/api/todos', async (req, res) => {
  const todo = await db.createTodo(req.body)
  await system.invalidateTags({ tags: [['todos']] })
  res.status(201).json(todo)
})

// The guide leaves the reading route to the reader, and its port is 3001.
app.get('/api/todos', async (_req, res) => {
  res.json(await db.listTodos())
})
const listener = app.listen(process.env.PORT ?? 3001, () => console.log('listening', listener.address()))
