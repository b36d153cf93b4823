import { defineTags } from '@query-tags/core'

export const appTags = defineTags({
  todos: {
    list: () => ['todos'],
    byId: (id: number) => ['todo', id],
  },
})
