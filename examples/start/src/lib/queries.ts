import { withTags } from '@query-tags/core'
import { infiniteQueryOptions, queryOptions, useQuery } from '@tanstack/react-query'
import { fetchPrivateNotes, fetchUser } from './session-functions'
import {
  fetchNotes,
  fetchPosts,
  fetchRow,
  fetchSlowSummary,
  fetchSummary,
  fetchTodo,
  fetchTodos,
} from './server-functions'
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

export const summaryQuery = withTags(queryOptions({ queryKey: ['summary'], queryFn: () => fetchSummary() }), [
  appTags.todos.summary(),
])

export const slowSummaryQuery = withTags(
  queryOptions({ queryKey: ['slow', 'summary'], queryFn: () => fetchSlowSummary() }),
  [appTags.todos.summary()],
)

export const todoQuery = (id: string) =>
  withTags(queryOptions({ queryKey: ['todo', id], queryFn: () => fetchTodo({ data: id }) }), [appTags.todos.byId(id)])

export const notesQuery = withTags(queryOptions({ queryKey: ['notes'], queryFn: () => fetchNotes() }), [
  appTags.notes.list(),
])

/** Of one user. Nobody else is told that they changed, and so the tag need not name the user; the key of the cache has to. */
export const privateNotesQuery = (owner: string) =>
  withTags(queryOptions({ queryKey: ['private notes', owner], queryFn: () => fetchPrivateNotes({ data: owner }) }), [
    appTags.notes.private(),
  ])

/** Who is signed in. It has no tags: another window of this browser may have signed in somebody else, and looks when it is shown. */
export const userQuery = queryOptions({
  queryKey: ['user'],
  queryFn: () => fetchUser(),
  refetchOnWindowFocus: 'always',
})

export const postsQuery = withTags(
  infiniteQueryOptions({
    queryKey: ['posts'],
    queryFn: ({ pageParam }) => fetchPosts({ data: pageParam }),
    initialPageParam: Number.MAX_SAFE_INTEGER,
    getNextPageParam: ({ next }) => next,
  }),
  [appTags.posts.list()],
)

export const rowQuery = (index: number) =>
  withTags(queryOptions({ queryKey: ['row', index], queryFn: () => fetchRow({ data: index }), gcTime: Infinity }), [
    appTags.rows.at(index),
  ])
