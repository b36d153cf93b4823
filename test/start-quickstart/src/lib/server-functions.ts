import { createServerFn } from '@tanstack/react-start'
import { tagInvalidation } from './tag-invalidation'
import { appTags } from './tag-contract'
import { z } from 'zod'
import { db, todos } from './db'

// What step 6 calls fetchTodos
export const fetchTodos = createServerFn().handler(() => db.select().from(todos))

export const addTodoServerFn = createServerFn()
  .validator(z.object({ name: z.string().min(1) }))
  .handler(async ({ data }) => {
    await db.insert(todos).values({ name: data.name })

    // Invalidate ALL todo queries in a single call
    await tagInvalidation.invalidateTags({
      tags: [appTags.todos()],
    })
  })
