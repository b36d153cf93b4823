import { dehydrate, type DehydratedState, HydrationBoundary, QueryClient } from '@tanstack/react-query'
import { cleanup, render, screen, waitFor } from '@testing-library/react'
import { afterEach, expect, it } from 'vitest'
import { carryCursor, TagInvalidationProvider } from '../src/index.ts'
import { createTaggedWorld } from './tagged-world.tsx'

const SOON = { timeout: 10_000 }

afterEach(cleanup)

type World = ReturnType<typeof createTaggedWorld>

/** What a loader on the server sends: the cursor from before, and what it read then. */
async function readOnServer({ system, database, optionsOf }: World): Promise<DehydratedState> {
  const queryClient = new QueryClient()
  carryCursor(queryClient, await system.cursor())
  await queryClient.prefetchQuery({ ...optionsOf('todos'), queryFn: () => database.todos })
  return JSON.parse(JSON.stringify(dehydrate(queryClient))) as DehydratedState
}

/** The page, live, with notes on it; and with todos once there is a state for them. */
async function openPage(world: World) {
  const client = world.createClient()
  const page = (state?: DehydratedState) => (
    <TagInvalidationProvider client={client}>
      <world.Value name="notes" />
      {state && (
        <HydrationBoundary state={state}>
          <world.Value name="todos" />
        </HydrationBoundary>
      )}
    </TagInvalidationProvider>
  )
  const { rerender } = render(page(), { wrapper: world.withQueryClient })
  await waitFor(() => expect(client.status.state).toBe('live'), SOON)
  return { show: (state: DehydratedState) => rerender(page(state)) }
}

it('what a boundary brings to a live page is fetched when it changed since it was read (guarantee 8)', async () => {
  const world = createTaggedWorld()
  const page = await openPage(world)
  const state = await readOnServer(world)

  await world.change('todos')
  page.show(state)

  await screen.findByText('todos 2', {}, SOON)
  expect(world.reads.todos).toBe(1)
})

it('what a boundary brings over a query that is there already is fetched when it changed since it was read (guarantee 8)', async () => {
  const world = createTaggedWorld()
  const page = await openPage(world)
  page.show(await readOnServer(world))
  await screen.findByText('todos 1', {}, SOON)
  const later = await readOnServer(world)

  await world.change('todos')
  await screen.findByText('todos 2', {}, SOON)
  page.show({ ...later, queries: later.queries.map(asOfNow) })

  await waitFor(() => expect(world.reads.todos).toBe(2), SOON)
  await screen.findByText('todos 2', {}, SOON)
})

it('what a boundary brings is not fetched when nothing changed', async () => {
  const world = createTaggedWorld()
  const page = await openPage(world)

  page.show(await readOnServer(world))
  await screen.findByText('todos 1', {}, SOON)
  await world.change('notes')
  await screen.findByText('notes 2', {}, SOON)

  expect(world.reads.todos).toBe(0)
})

/** A boundary takes over only what looks newer than what the cache has: the server's clock is ahead. */
function asOfNow<T extends DehydratedState['queries'][number]>(query: T): T {
  return { ...query, state: { ...query.state, dataUpdatedAt: Date.now() + 1 } }
}
