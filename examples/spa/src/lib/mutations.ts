import { appTags } from '@query-tags/example-shared/tags'
import type { User } from '@query-tags/example-shared/users'
import { withInvalidates } from '@query-tags/react'
import { mutationOptions } from '@tanstack/react-query'
import { addNote, addTodo, deleteTodo, updateTodo } from './api.ts'
import { notesTag } from './queries.ts'

// The server tells every window, this one too. Declaring the tags here makes this window wait with its refetch until its own
// change went through, and shows the change here even while the stream is down.

export const addTodoMutation = withInvalidates(mutationOptions({ mutationFn: addTodo }), [appTags.todos.list()])

export const updateTodoMutation = (id: string) =>
  withInvalidates(
    mutationOptions({ mutationFn: (change: { title?: string; done?: boolean }) => updateTodo(id, change) }),
    [appTags.todos.list(), appTags.todos.byId(id)],
  )

export const deleteTodoMutation = (id: string) =>
  withInvalidates(mutationOptions({ mutationFn: () => deleteTodo(id) }), [appTags.todos.list(), appTags.todos.byId(id)])

export const addNoteMutation = (user?: User) =>
  withInvalidates(mutationOptions({ mutationFn: addNote }), [notesTag(user)])
