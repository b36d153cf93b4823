import { createServerFn } from '@tanstack/react-start'
import { z } from 'zod'
import { db } from './db'
import { withSession } from './with-session'
import { appTags } from './tag-contract'
import { tagInvalidation } from './tag-invalidation'

const text = z.string().trim().min(1)

export const fetchTodos = createServerFn().handler(() => db.listTodos())

export const fetchSummary = createServerFn().handler(() => db.summarizeTodos())

/** For the page that streams: as slow as a report over a large table. */
export const fetchSlowSummary = createServerFn().handler(async () => {
  const summary = await db.summarizeTodos()
  await pause(1500)
  return summary
})

export const fetchTodo = createServerFn()
  .validator(z.string())
  .handler(({ data }) => db.findTodo(data))

export const addTodoServerFn = createServerFn({ method: 'POST' })
  .validator(z.object({ name: z.string().min(1) }))
  .handler(async ({ data }) => {
    await db.insertTodo({ name: data.name })

    // Invalidate ALL todo queries in a single call. The page that asked gets the receipt.
    return tagInvalidation.invalidateTags({
      tags: [appTags.todos()],
    })
  })

/** Takes its time, so that one sees what the page does meanwhile. */
export const toggleTodoServerFn = createServerFn({ method: 'POST' })
  .validator(z.object({ id: z.string(), delayMs: z.number().max(2000).default(0) }))
  .handler(async ({ data }) => {
    await pause(data.delayMs)
    await db.toggleTodo(data.id)
    await tagInvalidation.invalidateTags({
      tags: [appTags.todos.list(), appTags.todos.summary(), appTags.todos.byId(data.id)],
    })
  })

export const fetchNotes = createServerFn().handler(() => db.listNotes())

export const addNoteServerFn = createServerFn({ method: 'POST' })
  .validator(text)
  .handler(async ({ data }) => {
    await db.insertNote(data)
    // A raw tag does as well as the contract's: they overlap when their keys are equal.
    await tagInvalidation.invalidateTags({ tags: [['notes']] })
  })

export const fetchPosts = createServerFn()
  .validator(z.number())
  .handler(({ data }) => db.listPosts(data))

export const addPostServerFn = createServerFn({ method: 'POST' })
  .validator(text)
  .handler(async ({ data }) => {
    await db.insertPost(data)
    await tagInvalidation.invalidateTags({ tags: [appTags.posts.list()] })
  })

export const fetchRow = createServerFn()
  .validator(z.number())
  .handler(({ data }) => db.readRow(data))

export const changeRowsServerFn = createServerFn({ method: 'POST' })
  .validator(z.number().int().min(1).max(20))
  .handler(async ({ data }) => {
    const changed = await db.changeRows(data)
    await tagInvalidation.invalidateTags({ tags: changed.map((index) => appTags.rows.at(index)) })
    return changed
  })

/** What a page that is connected says when its tags change. The middleware of server functions applies to it, Start's own included. */
export const controlServerFn = createServerFn({ method: 'POST' })
  .middleware([withSession])
  .validator((message: unknown) => message)
  .handler(({ data, context }) => tagInvalidation.handleControl(data, context))

/** What the page about groups offers to invalidate, though nothing changed. */
const examples = {
  list: [appTags.todos.list()],
  one: [appTags.todos.byId('1')],
  family: [appTags.todos.byId],
  group: [appTags.todos()],
  everything: [appTags()],
  raw: [['todo', '2']],
} as const

export const invalidateExampleServerFn = createServerFn({ method: 'POST' })
  .validator(z.enum(Object.keys(examples) as (keyof typeof examples)[]))
  .handler(async ({ data }) => {
    await tagInvalidation.invalidateTags({ tags: examples[data] })
  })

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
