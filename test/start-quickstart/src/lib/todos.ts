// In any component or query factory
import { useQuery } from '@tanstack/react-query'
import { appTags } from '#/lib/tag-contract'
import { fetchTodos } from './server-functions'

// Option A: inline meta
export function useTodos() {
  return useQuery({
    queryKey: ['todos'],
    queryFn: fetchTodos,
    meta: { tags: [appTags.todos.list()] },
  })
}

// Option B: withTags() helper
import { withTags } from '@query-tags/core'

export const todosQuery = withTags({ queryKey: ['todos', 'B'], queryFn: fetchTodos }, [appTags.todos.list()])
