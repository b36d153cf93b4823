import { bindTags } from '@query-tags/query-core'
import { QueryClient } from '@tanstack/react-query'
import { createMemoryHistory, createRootRoute, createRoute, createRouter } from '@tanstack/react-router'
import { afterEach, expect, it, vi } from 'vitest'
import { ScriptedClient } from '../../query-core/test/scripted-client.ts'

afterEach(() => vi.useRealTimers())

/** A real router with two tagged pages and a plain one, and how often each loader ran. */
async function createApp() {
  const runs = { todo: 0, notes: 0, plain: 0 }
  let value = 0
  const rootRoute = createRootRoute()
  const todo = createRoute({
    getParentRoute: () => rootRoute,
    path: '/todo/$id',
    staleTime: Infinity,
    staticData: { tags: ({ params }: { params: { id: string } }) => [['todo', params.id]] },
    loader: async () => {
      runs.todo++
      const read = value
      await new Promise((resolve) => setTimeout(resolve, 40))
      return read
    },
  })
  const notes = createRoute({
    getParentRoute: () => rootRoute,
    path: '/notes',
    staleTime: Infinity,
    staticData: { tags: [['notes']] },
    loader: () => ++runs.notes,
  })
  const plain = createRoute({ getParentRoute: () => rootRoute, path: '/plain', loader: () => ++runs.plain })
  const history = createMemoryHistory({ initialEntries: ['/todo/7'] })
  const router = createRouter({ routeTree: rootRoute.addChildren([todo, notes, plain]), history })
  const client = new ScriptedClient()
  const binding = bindTags({ queryClient: new QueryClient(), client, router })
  const change = (...tag: [string, ...string[]]): void => {
    value++
    client.invalidate(tag)
  }
  const loaderData = (): unknown => router.state.matches.at(-1)?.loaderData
  return { router, client, binding, runs, change, loaderData }
}

it('runs the loader of a matching route again, and of no other', async () => {
  vi.useFakeTimers()
  const { router, client, runs, change, loaderData } = await createApp()
  void router.load()
  await vi.advanceTimersByTimeAsync(100)
  client.hello()

  change('todo', '8')
  change('notes')
  await vi.advanceTimersByTimeAsync(100)
  expect(runs).toEqual({ todo: 1, notes: 0, plain: 0 })
  change('todo', '7')
  await vi.advanceTimersByTimeAsync(100)

  expect(runs).toEqual({ todo: 2, notes: 0, plain: 0 })
  expect(loaderData()).toBe(3)
})

it('does not lose an invalidation while the loader is in flight', async () => {
  vi.useFakeTimers()
  const { router, client, change, loaderData } = await createApp()
  client.hello()
  void router.load()
  await vi.advanceTimersByTimeAsync(10)
  client.answer()

  change('todo', '7')
  await vi.advanceTimersByTimeAsync(200)

  expect(loaderData()).toBe(1)
})

it('drops what was cached of a page that was left, so that its next visit loads', async () => {
  vi.useFakeTimers()
  const { router, client, change, loaderData } = await createApp()
  client.hello()
  void router.load()
  await vi.advanceTimersByTimeAsync(100)
  client.answer()
  void router.navigate({ to: '/notes' })
  await vi.advanceTimersByTimeAsync(100)
  client.answer()

  change('todo', '7')
  await vi.advanceTimersByTimeAsync(100)
  void router.navigate({ to: '/todo/$id', params: { id: '7' } })
  await vi.advanceTimersByTimeAsync(200)

  expect(loaderData()).toBe(1)
})

it('still paints in a storm of an invalidation every 20 ms against a loader of 40 ms', async () => {
  vi.useFakeTimers()
  const { router, client, change, loaderData } = await createApp()
  client.hello()
  void router.load()
  await vi.advanceTimersByTimeAsync(100)
  client.answer()

  const painted = new Set<unknown>()
  for (let i = 0; i < 50; i++) {
    change('todo', '7')
    await vi.advanceTimersByTimeAsync(20)
    painted.add(loaderData())
  }
  await vi.advanceTimersByTimeAsync(200)

  expect(painted.size).toBeGreaterThan(10)
  expect(loaderData()).toBe(50)
})

it('stops watching the tags of pages when the binding is closed', async () => {
  vi.useFakeTimers()
  const { router, client, binding } = await createApp()
  void router.load()
  await vi.advanceTimersByTimeAsync(100)
  client.hello()
  expect(client.watched.size).toBe(1)

  binding.close()

  expect(client.watched.size).toBe(0)
})
