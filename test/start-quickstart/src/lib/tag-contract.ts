import { defineTags } from '@query-tags/core'

export const appTags = defineTags({
  todos: {
    list: () => ['todos'],
    summary: () => ['todos', 'summary'],
    byId: (id: string) => ['todo', id],
  },
  notes: {
    list: () => ['notes'],
  },
})

/** Export the type for use in server functions. @public */
export type AppTags = typeof appTags
