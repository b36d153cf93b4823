import { withTags } from '@query-tags/core'
import { appTags } from '@query-tags/example-shared/tags'
import { queryOptions } from '@tanstack/react-query'
import { fetchNotes, fetchTodo, fetchTodos } from './api.ts'

export const todosQuery = withTags(queryOptions({ queryKey: ['todos'], queryFn: ({ signal }) => fetchTodos(signal) }), [
  appTags.todos.list(),
])

export const todoQuery = (id: string) =>
  withTags(queryOptions({ queryKey: ['todo', id], queryFn: ({ signal }) => fetchTodo(id, signal) }), [
    appTags.todos.byId(id),
  ])

export const notesQuery = withTags(queryOptions({ queryKey: ['notes'], queryFn: ({ signal }) => fetchNotes(signal) }), [
  appTags.notes.list(),
])
