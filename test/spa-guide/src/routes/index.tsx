import { useQuery } from '@tanstack/react-query'
import { withTags } from '@query-tags/core'
import { appTags } from '../lib/tags'
import { fetchTodos } from '../lib/fetch-todos'

export function useTodos() {
  return useQuery(withTags({ queryKey: ['todos'], queryFn: fetchTodos }, [appTags.todos.list()]))
}
