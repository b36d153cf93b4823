import { withTags } from '@query-tags/core'
import { bindTags } from '@query-tags/query-core'
import { QueryClient, QueryObserver } from '@tanstack/query-core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createTestInvalidation, type TestClient } from '../src/index.ts'

afterEach(() => {
  vi.useRealTimers()
})

/** A cache bound to a client, whose queries count how often they were fetched. */
function createApp(client: TestClient) {
  const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity, retry: false } } })
  const fetches: string[] = []
  const binding = bindTags({ queryClient, client })
  return {
    queryClient,
    binding,
    fetches,
    /** Shows a query named like its one tag; its data are how often it was fetched. */
    show(name: string, fetchIt: () => Promise<unknown> = () => Promise.resolve()) {
      const queryFn = async (): Promise<number> => {
        fetches.push(name)
        await fetchIt()
        return fetches.filter((fetched) => fetched === name).length
      }
      const observer = new QueryObserver(queryClient, withTags({ queryKey: [name], queryFn }, [[name]]))
      observer.subscribe(() => undefined)
      return observer
    },
  }
}

describe('an invalidation', () => {
  it('refetches the queries with its tag, and no others', async () => {
    const { system, client } = createTestInvalidation()
    const app = createApp(client)
    const todos = app.show('todos')
    app.show('notes')
    await client.settled()

    await system.invalidateTags({ tags: [['todos']] })
    await client.settled()

    expect(app.fetches).toEqual(['todos', 'notes', 'todos'])
    expect(todos.getCurrentResult().data).toBe(2)
  })

  it('is applied when its call resolves', async () => {
    const { system, client } = createTestInvalidation()
    const app = createApp(client)
    app.show('todos')
    await client.settled()

    await system.invalidateTags({ tags: [['todos']] })

    expect(app.fetches).toEqual(['todos', 'todos'])
  })

  it('need not be awaited before settled()', async () => {
    const { system, client } = createTestInvalidation()
    const app = createApp(client)
    app.show('todos')
    app.show('notes')
    await client.settled()

    void system.invalidateTags({ tags: [['todos']] })
    void system.invalidateAfter((invalidate) => invalidate({ tags: [['notes']] }))
    await client.settled()

    expect(app.fetches).toEqual(['todos', 'notes', 'todos', 'notes'])
  })

  it('that came before the client was created fetches nothing twice', async () => {
    const { system, createClient } = createTestInvalidation()
    await system.invalidateTags({ tags: [['todos']] })
    const client = createClient()
    const app = createApp(client)
    app.show('todos')

    await client.settled()

    expect(app.fetches).toEqual(['todos'])
  })

  it('between the creation of the client and its first connect is not lost (guarantee 1)', async () => {
    const { system, client } = createTestInvalidation()
    const app = createApp(client)
    app.show('todos')
    await system.invalidateTags({ tags: [['todos']] })

    await client.settled()

    expect(app.fetches).toEqual(['todos', 'todos'])
  })

  it('of a tag that a query gained just now is not lost (guarantee 1)', async () => {
    const { system, client } = createTestInvalidation()
    const app = createApp(client)
    await client.settled()
    app.show('todos')
    await system.invalidateTags({ tags: [['todos']] })

    await client.settled()

    expect(app.fetches).toEqual(['todos', 'todos'])
  })
})

describe('settled()', () => {
  it('waits for fetches, however long they take', async () => {
    const { system, client } = createTestInvalidation()
    const app = createApp(client)
    const slow = app.show('slow', () => new Promise((resolve) => setTimeout(resolve, 20)))
    await client.settled()
    await system.invalidateTags({ tags: [['slow']] })

    await client.settled()

    expect(slow.getCurrentResult()).toMatchObject({ data: 2, fetchStatus: 'idle' })
  })

  it('waits for a fetch that trails the one in flight (guarantee 7)', async () => {
    const { system, client } = createTestInvalidation()
    const app = createApp(client)
    const gate = Promise.withResolvers<void>()
    const todos = app.show('todos', () => gate.promise)
    await system.invalidateTags({ tags: [['todos']] })
    gate.resolve()

    await client.settled()

    expect(todos.getCurrentResult().data).toBe(2)
  })

  it('waits until observers were told', async () => {
    const { system, client } = createTestInvalidation()
    const app = createApp(client)
    const shown: unknown[] = []
    app.show('todos').subscribe(({ data }) => shown.push(data))
    await client.settled()

    await system.invalidateTags({ tags: [['todos']] })
    await client.settled()

    expect(shown.at(-1)).toBe(2)
  })

  it('waits for a query that mounts when another one has its data, and for its tags to be watched', async () => {
    const { system, client } = createTestInvalidation()
    const app = createApp(client)
    const todos = app.show('todos')
    const stop = todos.subscribe(({ isSuccess }) => {
      if (!isSuccess) return
      stop()
      app.show('details')
    })
    await client.settled()

    await system.invalidateTags({ tags: [['details']] })
    await client.settled()

    expect(app.fetches).toEqual(['todos', 'details', 'details'])
  })

  it('does not wait for anything when nothing is bound, or no longer', async () => {
    const { client } = createTestInvalidation()
    await client.settled()
    const app = createApp(client)
    app.binding.close()

    await client.settled()

    expect(client.status).toEqual({ state: 'paused', reason: 'unbound' })
  })

  it('says why when the client is refused', async () => {
    const { client } = createTestInvalidation({ resolveScope: () => null })
    createApp(client)

    await expect(client.settled()).rejects.toThrow(/not connected \(unauthorized\)/)
  })

  it('needs no time to pass when the timers are fake, but for what TanStack Query waits for', async () => {
    vi.useFakeTimers()
    const { system, client } = createTestInvalidation()
    const app = createApp(client)
    app.show('todos')
    const settled = client.settled()
    await vi.advanceTimersByTimeAsync(0)
    await settled

    await system.invalidateTags({ tags: [['todos']] })
    await vi.advanceTimersByTimeAsync(0)

    expect(app.fetches).toEqual(['todos', 'todos'])
    expect(client.status).toEqual({ state: 'live' })
  })
})

describe('scopes', () => {
  it('keep the invalidations of one user from another (guarantee 11)', async () => {
    const { system, client, createClient } = createTestInvalidation({
      resolveScope: ({ userId }: { userId: string }) => ({ kind: 'user', id: userId }),
      context: () => ({ userId: 'ada' }),
    })
    const bob = createClient({ context: () => ({ userId: 'bob' }) })
    const [adasApp, bobsApp] = [createApp(client), createApp(bob)]
    adasApp.show('todos')
    bobsApp.show('todos')
    await Promise.all([client.settled(), bob.settled()])

    await system.invalidateTags({ tags: [['todos']], scope: { kind: 'user', id: 'bob' } })
    await Promise.all([client.settled(), bob.settled()])

    expect(adasApp.fetches).toEqual(['todos'])
    expect(bobsApp.fetches).toEqual(['todos', 'todos'])
  })

  it('waits for a context that takes its time', async () => {
    const { client } = createTestInvalidation({
      resolveScope: ({ userId }: { userId: string }) => ({ kind: 'user', id: userId }),
      context: () => new Promise<{ userId: string }>((resolve) => setTimeout(() => resolve({ userId: 'ada' }), 10)),
    })
    createApp(client)

    await client.settled()

    expect(client.status).toEqual({ state: 'live' })
  })
})

it('two clients hear the same invalidation', async () => {
  const { system, client, createClient } = createTestInvalidation()
  const second = createClient()
  const apps = [createApp(client), createApp(second)]
  for (const app of apps) app.show('todos')
  await Promise.all([client.settled(), second.settled()])

  await system.invalidateTags({ tags: [['todos']] })
  await Promise.all([client.settled(), second.settled()])

  expect(apps.map((app) => app.fetches.length)).toEqual([2, 2])
})

it('a binding that ends and begins again, as React does in StrictMode, connects once', async () => {
  const { system, client } = createTestInvalidation()
  createApp(client).binding.close()
  createApp(client)

  await client.settled()

  expect(system.stats().connections).toBe(1)
})

it('a second test finds nothing of the first after close()', async () => {
  const { system, client, close } = createTestInvalidation()
  createApp(client).show('todos')
  await client.settled()

  await close()

  expect(client.status).toEqual({ state: 'closed' })
  expect(system.stats()).toMatchObject({ connections: 0, endingConnections: 0, timers: 0, watchedTags: 0 })
})

it('close() of the system ends at once, also when the app drains it', async () => {
  const { system, client } = createTestInvalidation()
  createApp(client)
  await client.settled()

  await system.close({ drainMs: 10_000 })

  expect(client.status.state).toBe('waiting')
})

it('the same test gives the same run', async () => {
  const runs: string[] = []
  for (let i = 0; i < 2; i++) {
    const { system, client } = createTestInvalidation()
    createApp(client).show('todos')
    await client.settled()
    const receipt = await system.invalidateTags({ tags: [['todos']] })
    await client.settled()
    runs.push(JSON.stringify([receipt, await system.cursor()]))
  }

  expect(runs[0]).toBe(runs[1])
})
