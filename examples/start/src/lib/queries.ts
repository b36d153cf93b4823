import { withTags } from '@query-tags/core'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { fetchTodos } from './server-functions'
import { appTags } from './tag-contract'

// Option A: inline meta
export function useTodos() {
  return useQuery({
    queryKey: ['todos'],
    queryFn: () => fetchTodos(),
    meta: { tags: [appTags.todos.list()] },
  })
}

// Option B: withTags() helper
export const todosQuery = withTags(queryOptions({ queryKey: ['todos'], queryFn: () => fetchTodos() }), [
  appTags.todos.list(),
])
