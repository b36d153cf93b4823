import { createServerFn } from '@tanstack/react-start'
import { z } from 'zod'
import { db } from './db'
import { appTags } from './tag-contract'
import { tagInvalidation } from './tag-invalidation'

export const fetchTodos = createServerFn().handler(() => db.listTodos())

export const addTodoServerFn = createServerFn({ method: 'POST' })
  .validator(z.object({ name: z.string().min(1) }))
  .handler(async ({ data }) => {
    await db.insertTodo({ name: data.name })

    // Invalidate ALL todo queries in a single call
    await tagInvalidation.invalidateTags({
      tags: [appTags.todos()],
    })
  })
