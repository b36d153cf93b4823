import { withTags } from '@query-tags/core'
import { appTags } from '@query-tags/example-shared/tags'
import type { User } from '@query-tags/example-shared/users'
import { queryOptions } from '@tanstack/react-query'
import { fetchNotes, fetchTodo, fetchTodos } from './api.ts'

export const todosQuery = withTags(queryOptions({ queryKey: ['todos'], queryFn: ({ signal }) => fetchTodos(signal) }), [
  appTags.todos.list(),
])

export const todoQuery = (id: string) =>
  withTags(queryOptions({ queryKey: ['todo', id], queryFn: ({ signal }) => fetchTodo(id, signal) }), [
    appTags.todos.byId(id),
  ])

/** The notes of a user; without one those that everybody shares. */
export const notesQuery = (user?: User) =>
  withTags(
    queryOptions({
      queryKey: user ? ['notes', user.id] : ['notes'],
      queryFn: ({ signal }) => fetchNotes(signal),
      // What is of one user goes with that user.
      ...(user && { gcTime: 0 }),
    }),
    [notesTag(user)],
  )

export const notesTag = (user?: User) => (user ? appTags.notes.of(user.id) : appTags.notes.list())
