import { withInvalidates } from '@query-tags/react'
import { mutationOptions, type QueryClient } from '@tanstack/react-query'
import { invalidatorClient } from './invalidator-client'
import { privateNotesQuery, todosQuery, userQuery } from './queries'
import { addPrivateNoteServerFn, signInServerFn, signOutServerFn } from './session-functions'
import { addNoteServerFn, addPostServerFn, addTodoServerFn, toggleTodoServerFn } from './server-functions'
import { appTags } from './tag-contract'

// The server tells every window, this one too. Declaring the tags here makes this window wait with its refetch until its own
// change went through, and shows the change here even while the stream is down.

// With the receipt this window knows which word of the server's is about its own change, and need not fetch a second time for it.
export const addTodoMutation = withInvalidates(
  mutationOptions({
    mutationFn: async (name: string) => invalidatorClient.applyReceipt(await addTodoServerFn({ data: { name } })),
  }),
  [appTags.todos()],
)

export const addNoteMutation = withInvalidates(
  mutationOptions({ mutationFn: (text: string) => addNoteServerFn({ data: text }) }),
  [appTags.notes.list()],
)

export const addPrivateNoteMutation = withInvalidates(
  mutationOptions({ mutationFn: (text: string) => addPrivateNoteServerFn({ data: text }) }),
  [appTags.notes.private()],
)

export const addPostMutation = withInvalidates(
  mutationOptions({ mutationFn: (text: string) => addPostServerFn({ data: text }) }),
  [appTags.posts.list()],
)

/** Shown at once, sent after. A refetch of the todos waits until it is over, or it would bring the old tick back for a moment. */
export const toggleTodoMutation = (queryClient: QueryClient) =>
  withInvalidates(
    mutationOptions({
      mutationFn: (id: string) => toggleTodoServerFn({ data: { id, delayMs: 1500 } }),
      onMutate: async (id) => {
        await queryClient.cancelQueries({ queryKey: todosQuery.queryKey })
        const before = queryClient.getQueryData(todosQuery.queryKey)
        queryClient.setQueryData(todosQuery.queryKey, (todos) =>
          todos?.map((todo) => (todo.id === id ? { ...todo, done: !todo.done } : todo)),
        )
        return before
      },
      onError: (_error, _id, before) => queryClient.setQueryData(todosQuery.queryKey, before),
    }),
    [appTags.todos()],
  )

// Who is signed in decides about the `scope` of the provider; when that changes, everything tagged is fetched again.

export const signInMutation = (queryClient: QueryClient) =>
  mutationOptions({
    mutationFn: (id: string) => signInServerFn({ data: id }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: userQuery.queryKey }),
  })

export const signOutMutation = (queryClient: QueryClient) =>
  mutationOptions({
    mutationFn: () => signOutServerFn(),
    async onSuccess() {
      await queryClient.invalidateQueries({ queryKey: userQuery.queryKey })
      queryClient.removeQueries({ queryKey: privateNotesQuery('').queryKey.slice(0, 1) })
    },
  })
