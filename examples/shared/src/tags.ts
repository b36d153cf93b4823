import { defineTags } from '@query-tags/core'

/** The tag contract: what the server invalidates and what the page's queries carry. */
export const appTags = defineTags({
  todos: {
    list: () => ['todos'],
    byId: (id: string) => ['todo', id],
  },
  notes: {
    list: () => ['notes'],
    of: (user: string) => ['notes', user],
  },
})
