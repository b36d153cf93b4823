import { bindTags } from '@query-tags/query-core'
import { createTestInvalidation } from '@query-tags/testing'
import { MutationObserver, QueryClient, QueryObserver } from '@tanstack/react-query'
import { afterEach, expect, it, vi } from 'vitest'
import { addTodoMutation } from '../src/lib/mutations.ts'
import { notesQuery, todosQuery } from '../src/lib/queries.ts'
import { createMemoryAPI } from './memory-api.ts'

afterEach(() => {
  vi.unstubAllGlobals()
})

it('adding a todo refetches the list, once, and not the notes', async () => {
  const { system, client } = createTestInvalidation()
  const api = createMemoryAPI(system)
  vi.stubGlobal('fetch', api.fetch)
  const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } })
  bindTags({ queryClient, client })
  const todos = new QueryObserver(queryClient, todosQuery)
  todos.subscribe(() => undefined)
  new QueryObserver(queryClient, notesQuery()).subscribe(() => undefined)
  await client.settled()

  await new MutationObserver(queryClient, addTodoMutation).mutate('Write a test')
  await client.settled()

  expect(todos.getCurrentResult().data?.map(({ title }) => title)).toContain('Write a test')
  expect(api.requests).toEqual(['GET /api/todos', 'GET /api/notes', 'POST /api/todos', 'GET /api/todos'])
})

it('a todo that somebody else added is there as soon as the server says so', async () => {
  const { system, client } = createTestInvalidation()
  const api = createMemoryAPI(system)
  vi.stubGlobal('fetch', api.fetch)
  const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } })
  bindTags({ queryClient, client })
  const todos = new QueryObserver(queryClient, todosQuery)
  todos.subscribe(() => undefined)
  await client.settled()

  await api.fetch('/api/todos', { method: 'POST', body: JSON.stringify({ title: 'Water the cat' }) })
  await client.settled()

  expect(todos.getCurrentResult().data?.at(-1)?.title).toBe('Water the cat')
})
