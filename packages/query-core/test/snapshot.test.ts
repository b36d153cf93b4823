import { withTags } from '@query-tags/core'
import {
  dehydrate,
  hydrate,
  QueryClient,
  QueryObserver,
  type DehydratedState,
  type QueryObserverOptions,
} from '@tanstack/query-core'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { bindTags, carryCursor } from '../src/index.ts'
import { isSnapshot } from '../src/snapshot.ts'
import { ScriptedClient } from './scripted-client.ts'
import { settle } from './world.ts'

const GLOBAL = '["global",null]'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => vi.useRealTimers())

/** Rows by name, how often each was read by the page, and the server's log. */
function createServer(names: readonly string[]) {
  const rows = new Map(names.map((name) => [name, 0]))
  const reads: string[] = []
  const options = (name: string) => {
    const queryFn = (): number => {
      reads.push(name)
      return rows.get(name)!
    }
    return withTags({ queryKey: [name], queryFn, staleTime: Infinity }, [[name]])
  }
  const server = {
    reads,
    options,
    /** Of the page that was opened last. */
    client: new ScriptedClient(),
    /** Reads everything into a cache, with the cursor from before: what a server does for a page, or an earlier visit did. */
    async render(cursor: Record<string, string> | undefined): Promise<DehydratedState> {
      const queryClient = new QueryClient()
      if (cursor) carryCursor(queryClient, cursor)
      for (const name of names) await queryClient.prefetchQuery(options(name))
      reads.length = 0
      return overTheWire(dehydrate(queryClient))
    },
    change(name: string): void {
      rows.set(name, rows.get(name)! + 1)
      server.client.record([name])
    },
  }
  return server
}

function overTheWire<T>(state: T): T {
  return JSON.parse(JSON.stringify(state)) as T
}

function openPage(server: { client: ScriptedClient }) {
  server.client = server.client.reload()
  const { client } = server
  const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } })
  const binding = bindTags({ queryClient, client })
  return { queryClient, binding }
}

/** The cache of a page is stored now, and restored into the next one. */
function reopen(server: { client: ScriptedClient }, first: ReturnType<typeof openPage>) {
  const stored = overTheWire(dehydrate(first.queryClient))
  first.binding.close()
  const second = openPage(server)
  hydrate(second.queryClient, stored)
  return second
}

function show(queryClient: QueryClient, options: QueryObserverOptions<number>): void {
  new QueryObserver(queryClient, options).subscribe(() => undefined)
}

it('a hydrated page fetches nothing after connecting when nothing changed', async () => {
  const server = createServer(['a', 'b'])
  server.change('a')
  const { queryClient } = openPage(server)
  hydrate(queryClient, await server.render({ [GLOBAL]: 'e:1' }))
  for (const name of ['a', 'b']) show(queryClient, server.options(name))

  server.client.hello()
  await settle()

  expect(server.reads).toEqual([])
  expect(server.client.requests).toBe(0)
})

it('what changed between the read on the server and the connect is fetched once, and nothing else (guarantee 8)', async () => {
  const server = createServer(['a', 'b', 'c'])
  const { queryClient } = openPage(server)
  const state = await server.render({ [GLOBAL]: 'e:0' })
  server.change('b')
  hydrate(queryClient, state)
  for (const name of ['a', 'b', 'c']) show(queryClient, server.options(name))

  server.client.hello()
  await settle()

  expect(server.reads).toEqual(['b'])
  expect(queryClient.getQueryData(['b'])).toBe(1)
})

/** A page that is bound once it has what it came with. Returns the names of what it fetches after connecting. */
async function bindHydrated(server: ReturnType<typeof createServer>, queryClient: QueryClient): Promise<string[]> {
  bindTags({ queryClient, client: server.client })
  for (const name of ['a', 'b']) show(queryClient, server.options(name))
  server.client.hello()
  await settle()
  return server.reads
}

it('what changed after the page began to load, but before it was rendered, is not fetched again', async () => {
  const server = createServer(['a', 'b'])
  const queryClient = new QueryClient()
  server.change('a')
  hydrate(queryClient, await server.render({ [GLOBAL]: 'e:1' }))

  expect(await bindHydrated(server, queryClient)).toEqual([])
})

it('beside data that are older than the snapshot, it is (guarantee 8)', async () => {
  const server = createServer(['a', 'b'])
  const queryClient = new QueryClient()
  await queryClient.prefetchQuery(server.options('b'))
  await vi.advanceTimersByTimeAsync(10)
  server.change('b')
  const state = await server.render({ [GLOBAL]: 'e:1' })
  hydrate(queryClient, { ...state, queries: state.queries.filter(({ queryKey }) => queryKey[0] !== 'b') })

  expect(await bindHydrated(server, queryClient)).toEqual(['b'])
})

it('beside data that the page fetched before, it is, whatever the clock of the server says (guarantee 8)', async () => {
  const server = createServer(['a', 'b'])
  const rendered = vi.getMockedSystemTime()!.getTime() - 5000
  const queryClient = new QueryClient()
  await queryClient.prefetchQuery(server.options('b'))
  server.change('b')
  const pageTime = Date.now()
  vi.setSystemTime(rendered)
  const state = await server.render({ [GLOBAL]: 'e:1' })
  vi.setSystemTime(pageTime)
  hydrate(queryClient, { ...state, queries: state.queries.filter(({ queryKey }) => queryKey[0] !== 'b') })

  expect(await bindHydrated(server, queryClient)).toEqual(['b'])
})

it.each([
  ['without a cursor', undefined, 10],
  ['with an older cursor, in the same millisecond', { [GLOBAL]: 'e:0' }, 0],
])('beside data that were rendered before, and came after it %s, it is (guarantee 8)', async (_how, cursor, ms) => {
  const server = createServer(['a', 'b'])
  const queryClient = new QueryClient()
  const early = await server.render(cursor)
  await vi.advanceTimersByTimeAsync(ms)
  server.change('b')
  const late = await server.render({ [GLOBAL]: 'e:1' })
  hydrate(queryClient, { ...late, queries: late.queries.filter(({ queryKey }) => queryKey[0] !== 'b') })
  hydrate(queryClient, early)

  expect(await bindHydrated(server, queryClient)).toEqual(['b'])
})

it('the cursor that another client left in the cache is not the page’s: a fetch may have begun before it (guarantee 8)', async () => {
  const server = createServer(['a', 'b'])
  const { queryClient, binding } = openPage(server)
  const other = server.client.reload()
  server.client.hello()
  const answered = Promise.withResolvers<number>()
  show(queryClient, { ...server.options('b'), queryFn: () => answered.promise })
  server.change('b')
  server.client.deliver()
  show(queryClient, server.options('a'))
  await settle()
  server.client.answer()
  await settle()

  binding.close()
  bindTags({ queryClient, client: other })
  answered.resolve(0)
  await settle()
  other.hello()

  expect(queryClient.getQueryState(['b'])).toMatchObject({ data: 0, isInvalidated: true })
})

it('queries before the snapshot in the dehydrated list count as old as those after it', async () => {
  const server = createServer(['a'])
  const { queryClient } = openPage(server)
  server.client.hello()
  const state = await server.render({ [GLOBAL]: 'e:0' })
  server.change('a')
  server.client.deliver()

  hydrate(queryClient, { ...state, queries: state.queries.toReversed() })
  show(queryClient, server.options('a'))
  server.client.answer()
  await settle()

  expect(server.reads).toEqual(['a'])
})

it('an invalidation that arrives before its hydrated query does is not lost', async () => {
  const server = createServer(['a'])
  const { queryClient } = openPage(server)
  show(queryClient, { ...server.options('a'), enabled: false })
  server.client.hello()
  const state = await server.render({ [GLOBAL]: 'e:0' })
  server.change('a')
  server.client.deliver()

  hydrate(queryClient, state)
  server.client.answer()
  await settle()

  expect(queryClient.getQueryState(['a'])).toMatchObject({ data: 0, isInvalidated: true })
})

it('a newer snapshot over an invalidated query leaves it invalidated', async () => {
  const server = createServer(['a'])
  const { queryClient } = openPage(server)
  hydrate(queryClient, await server.render({ [GLOBAL]: 'e:0' }))
  server.client.hello()
  await vi.advanceTimersByTimeAsync(10)
  const newer = await server.render({ [GLOBAL]: 'e:0' })
  server.change('a')
  server.client.deliver()

  hydrate(queryClient, newer)
  server.client.answer()
  await settle()

  expect(queryClient.getQueryState(['a'])).toMatchObject({ data: 0, isInvalidated: true })
})

it.each(['before', 'after'])(
  'a streamed promise that sits %s its snapshot counts as read on the server (guarantee 8)',
  async (where) => {
    const server = createServer(['a'])
    const { queryClient } = openPage(server)
    show(queryClient, { ...server.options('b'), queryKey: ['b'], queryFn: () => 1 })
    server.client.hello()
    const rendering = new QueryClient({ defaultOptions: { dehydrate: { shouldDehydrateQuery: () => true } } })
    carryCursor(rendering, { [GLOBAL]: 'e:0' })
    const answered = Promise.withResolvers<number>()
    void rendering.prefetchQuery({ ...server.options('a'), queryFn: () => answered.promise })
    const state = dehydrate(rendering)
    server.change('a')
    server.client.deliver()

    hydrate(queryClient, where === 'after' ? state : { ...state, queries: state.queries.toReversed() })
    answered.resolve(0)
    await vi.advanceTimersByTimeAsync(0)
    show(queryClient, server.options('a'))
    server.client.answer()
    await settle()

    expect(queryClient.getQueryData(['a'])).toBe(1)
  },
)

it('a streamed promise that comes before its snapshot is as old as that, not as the page (guarantee 8)', async () => {
  const server = createServer(['a'])
  const rendering = new QueryClient({ defaultOptions: { dehydrate: { shouldDehydrateQuery: () => true } } })
  carryCursor(rendering, { [GLOBAL]: 'e:0' })
  const answered = Promise.withResolvers<number>()
  void rendering.prefetchQuery({ ...server.options('a'), queryFn: () => answered.promise })
  const state = dehydrate(rendering)
  server.change('a')
  const { queryClient } = openPage(server)

  hydrate(queryClient, { ...state, queries: state.queries.toReversed() })
  answered.resolve(0)
  await vi.advanceTimersByTimeAsync(0)
  show(queryClient, server.options('a'))
  server.client.hello()
  await settle()

  expect(queryClient.getQueryData(['a'])).toBe(1)
})

it.each<[string, (queryClient: QueryClient, options: QueryObserverOptions<number>) => unknown]>([
  ['to a page that does not know it', () => undefined],
  ['to a page with a default query function', (page) => page.setDefaultOptions({ queries: { queryFn: () => 0 } })],
  ['over data that the page has', (page, options) => page.prefetchQuery(options)],
])(
  'a promise that is streamed %s, long after its snapshot, counts as read on the server (guarantee 8)',
  async (_where, prepare) => {
    const server = createServer(['a'])
    const { queryClient } = openPage(server)
    const rendering = new QueryClient({ defaultOptions: { dehydrate: { shouldDehydrateQuery: () => true } } })
    carryCursor(rendering, { [GLOBAL]: 'e:0' })
    hydrate(queryClient, dehydrate(rendering))
    server.client.hello()
    await prepare(queryClient, server.options('a'))
    await vi.advanceTimersByTimeAsync(10)
    server.client.answer()
    rendering.clear()
    const answered = Promise.withResolvers<number>()
    void rendering.prefetchQuery({ ...server.options('a'), queryFn: () => answered.promise })
    const streamed = dehydrate(rendering)
    server.change('a')
    server.client.deliver()

    hydrate(queryClient, streamed)
    answered.resolve(0)
    await vi.advanceTimersByTimeAsync(0)
    show(queryClient, server.options('a'))
    server.client.answer()
    await settle()

    expect(queryClient.getQueryData(['a'])).toBe(1)
  },
)

it.each(['before it is streamed', 'while it is on its way', 'after it came'])(
  'a promise that is streamed over data on the screen does not hide what changed %s (guarantees 7, 8)',
  async (when) => {
    const server = createServer(['a'])
    const { queryClient } = openPage(server)
    server.client.hello()
    show(queryClient, server.options('a'))
    await vi.advanceTimersByTimeAsync(10)
    server.client.answer()
    await settle()
    const rendering = new QueryClient({ defaultOptions: { dehydrate: { shouldDehydrateQuery: () => true } } })
    carryCursor(rendering, { [GLOBAL]: 'e:0' })
    const answered = Promise.withResolvers<number>()
    void rendering.prefetchQuery({ ...server.options('a'), queryFn: () => answered.promise })
    const change = async (now: string): Promise<void> => {
      if (now !== when) return
      server.change('a')
      server.client.deliver()
      await vi.advanceTimersByTimeAsync(10)
    }

    await change('before it is streamed')
    hydrate(queryClient, dehydrate(rendering))
    expect(queryClient.getQueryState(['a'])!.fetchStatus).toBe('fetching')
    await change('while it is on its way')
    answered.resolve(0)
    await vi.advanceTimersByTimeAsync(0)
    await change('after it came')
    server.client.answer()
    await vi.advanceTimersByTimeAsync(0)

    expect(queryClient.getQueryData(['a'])).toBe(1)
  },
)

it('of a persisted cache of 200 queries, the 3 that changed since are fetched', async () => {
  const names = Array.from({ length: 200 }, (_, i) => `row ${i}`)
  const server = createServer(names)
  const first = openPage(server)
  server.client.hello()
  for (const name of names) show(first.queryClient, server.options(name))
  await vi.advanceTimersByTimeAsync(0)
  server.client.answer()
  await settle()
  const stored = overTheWire(dehydrate(first.queryClient))
  first.binding.close()
  first.queryClient.clear()
  server.reads.length = 0

  for (const name of ['row 3', 'row 77', 'row 199']) server.change(name)
  const second = openPage(server)
  hydrate(second.queryClient, stored)
  for (const name of names) show(second.queryClient, server.options(name))
  server.client.hello()
  await vi.advanceTimersByTimeAsync(0)

  expect(server.reads.toSorted()).toEqual(['row 199', 'row 3', 'row 77'])
})

it('a third visit does not go back to the snapshot of the first', async () => {
  const server = createServer(['a'])
  let stored: DehydratedState | undefined
  for (let visit = 0; visit < 3; visit++) {
    const { queryClient, binding } = openPage(server)
    if (stored) hydrate(queryClient, stored)
    show(queryClient, server.options('a'))
    server.client.hello()
    await vi.advanceTimersByTimeAsync(0)
    if (visit === 1) {
      server.change('a')
      server.client.deliver()
      await vi.advanceTimersByTimeAsync(0)
    }
    stored = overTheWire(dehydrate(queryClient))
    binding.close()
    queryClient.clear()
  }

  expect(stored!.queries.filter(({ queryKey }) => queryKey[0] === '@query-tags/cursor')).toHaveLength(1)
  expect(server.reads).toEqual(['a', 'a'])
})

it('a cache that is stored while it is not known what its data missed says so (guarantee 8)', async () => {
  const server = createServer(['a', 'b'])
  const first = openPage(server)
  server.client.hello()
  show(first.queryClient, server.options('a'))
  await vi.advanceTimersByTimeAsync(0)
  server.client.answer()
  server.change('b')
  server.client.deliver()
  await settle()

  show(first.queryClient, { ...server.options('b'), initialData: 0 })
  const second = reopen(server, first)
  show(second.queryClient, server.options('b'))
  server.client.hello()
  await vi.advanceTimersByTimeAsync(0)

  expect(second.queryClient.getQueryData(['b'])).toBe(1)
})

it('a cache that is stored when a query without tags has just come, after another one went, does not vouch for it (guarantee 8)', async () => {
  const server = createServer(['a', 'b', 'gone'])
  const first = openPage(server)
  server.client.hello()
  first.queryClient.setQueryData(['gone'], 0)
  server.change('a')
  server.client.deliver()
  show(first.queryClient, server.options('b'))
  await vi.advanceTimersByTimeAsync(0)
  server.client.answer()
  await settle()
  first.queryClient.removeQueries({ queryKey: ['gone'] })

  first.queryClient.setQueryData(['a'], 0)
  const second = reopen(server, first)
  show(second.queryClient, server.options('a'))
  server.client.hello()
  await vi.advanceTimersByTimeAsync(0)

  expect(second.queryClient.getQueryData(['a'])).toBe(1)
})

it('the snapshot that a binding kept is not where the page began: a fetch may be in flight that began before it (guarantee 8)', async () => {
  const server = createServer(['a', 'b'])
  const first = openPage(server)
  // Another client for the same page, as an app makes one for another user.
  const next = server.client.reload()
  server.client.hello()
  await settle()
  const read = Promise.withResolvers<number>()
  const reads = [read.promise, 1]
  show(first.queryClient, { ...server.options('a'), queryFn: () => reads.shift()! })
  server.change('a')
  server.client.deliver()
  show(first.queryClient, server.options('b'))
  await vi.advanceTimersByTimeAsync(0)
  server.client.answer()
  await settle()
  first.binding.close()

  bindTags({ queryClient: first.queryClient, client: next })
  next.hello()
  read.resolve(0)
  await vi.advanceTimersByTimeAsync(0)

  expect(first.queryClient.getQueryData(['a'])).toBe(1)
})

it('a cache that is stored when a query has just got another tag does not pass for newer than its data (guarantee 8)', async () => {
  const server = createServer(['a', 'b'])
  const first = openPage(server)
  server.client.hello()
  const observer = new QueryObserver(first.queryClient, server.options('a'))
  observer.subscribe(() => undefined)
  await vi.advanceTimersByTimeAsync(0)
  server.client.answer()
  server.client.invalidate(['item of a'])
  show(first.queryClient, server.options('b'))
  await vi.advanceTimersByTimeAsync(0)
  server.client.answer()
  await settle()

  const tagged = withTags(server.options('a'), [['item of a']])
  observer.setOptions(tagged)
  const stored = overTheWire(dehydrate(first.queryClient))
  first.binding.close()
  server.reads.length = 0
  const second = openPage(server)
  hydrate(second.queryClient, stored)
  show(second.queryClient, tagged)
  server.client.hello()
  await vi.advanceTimersByTimeAsync(0)

  expect(server.reads).toEqual(['a'])
})

it.each([
  ['before the connect', true],
  ['after the connect', false],
])('a cache that another user stored is not trusted, restored %s (guarantee 8)', async (_when, early) => {
  const server = createServer(['a'])
  const stored = await server.render({ [GLOBAL]: 'e:0', '["user","ada"]': 'e:0' })
  const { queryClient } = openPage(server)

  if (!early) server.client.hello()
  hydrate(queryClient, stored)
  await settle()
  if (early) server.client.hello()
  show(queryClient, server.options('a'))
  server.client.answer()
  await vi.advanceTimersByTimeAsync(0)

  expect(server.reads).toEqual(['a'])
})

/** As it was an hour ago. */
function anHourOld({ queries, ...state }: DehydratedState): DehydratedState {
  const aged = queries.map((query) => ({ ...query, state: { ...query.state, dataUpdatedAt: Date.now() - 3_600_000 } }))
  return { ...state, queries: aged }
}

it('a cache from before the page without a snapshot is not trusted (guarantee 8)', async () => {
  const server = createServer(['a'])
  const stored = await server.render(undefined)
  const { queryClient } = openPage(server)

  hydrate(queryClient, anHourOld(stored))
  show(queryClient, server.options('a'))
  server.client.hello()
  await vi.advanceTimersByTimeAsync(0)

  expect(server.reads).toEqual(['a'])
})

it('a store that left its snapshot out is not trusted for that of the rendered page (guarantee 8)', async () => {
  const server = createServer(['a'])
  const stored = await server.render(undefined)
  server.change('a')
  const rendering = new QueryClient()
  carryCursor(rendering, { [GLOBAL]: 'e:1' })
  const { queryClient } = openPage(server)

  hydrate(queryClient, overTheWire(dehydrate(rendering)))
  hydrate(queryClient, anHourOld(stored))
  show(queryClient, server.options('a'))
  server.client.hello()
  await vi.advanceTimersByTimeAsync(0)

  expect(queryClient.getQueryData(['a'])).toBe(1)
})

it('puts nothing into a cache where there is no cursor', () => {
  const queryClient = new QueryClient()

  carryCursor(queryClient, undefined)

  expect(queryClient.getQueryCache().getAll()).toEqual([])
})

it('what was marked when it was stored is fetched when it is shown again, also with refetchOnMount off', async () => {
  const server = createServer(['a'])
  const first = openPage(server)
  await first.queryClient.prefetchQuery(server.options('a'))
  server.client.hello()
  server.change('a')
  server.client.deliver()
  await settle()
  const stored = overTheWire(dehydrate(first.queryClient))
  first.binding.close()
  server.reads.length = 0

  const second = openPage(server)
  hydrate(second.queryClient, stored)
  server.client.hello()
  show(second.queryClient, { ...server.options('a'), refetchOnMount: false })
  await vi.advanceTimersByTimeAsync(0)

  expect(server.reads).toEqual(['a'])
})

it.each([
  ['before the page knows the query', false],
  ['into a query that the page has rendered', true],
])(
  'data that had no tags when they were stored are not as new as the store says, restored %s (guarantee 8)',
  async (_when, rendered) => {
    const server = createServer(['a', 'b'])
    const first = openPage(server)
    server.client.hello()
    show(first.queryClient, server.options('b'))
    await vi.advanceTimersByTimeAsync(0)
    server.client.answer()
    first.queryClient.setQueryData(['a'], 0)
    for (const name of ['a', 'b']) server.change(name)
    server.client.deliver()
    await vi.advanceTimersByTimeAsync(0)
    const stored = overTheWire(dehydrate(first.queryClient))
    first.binding.close()

    const second = openPage(server)
    const observer = new QueryObserver(second.queryClient, { ...server.options('a'), enabled: !rendered })
    if (!rendered) second.queryClient.getQueryCache().clear()
    hydrate(second.queryClient, stored)
    observer.setOptions(server.options('a'))
    observer.subscribe(() => undefined)
    server.client.hello()
    await vi.advanceTimersByTimeAsync(0)
    server.client.answer()
    await vi.advanceTimersByTimeAsync(0)

    expect(second.queryClient.getQueryData(['a'])).toBe(1)
  },
)

it('data without tags that are stored in the task in which they came are not as new as the store says (guarantee 8)', async () => {
  const server = createServer(['a', 'b'])
  const first = openPage(server)
  server.client.hello()
  show(first.queryClient, server.options('b'))
  await vi.advanceTimersByTimeAsync(0)
  server.client.answer()
  for (const name of ['a', 'b']) server.change(name)
  server.client.deliver()
  await vi.advanceTimersByTimeAsync(0)

  first.queryClient.setQueryData(['a'], 0)
  const second = reopen(server, first)
  show(second.queryClient, server.options('a'))
  server.client.hello()
  await vi.advanceTimersByTimeAsync(0)

  expect(second.queryClient.getQueryData(['a'])).toBe(1)
})

it('data whose tags were lost before an invalidation are not as new as the store says (guarantee 8)', async () => {
  const server = createServer(['a', 'b'])
  const first = openPage(server)
  server.client.hello()
  for (const name of ['a', 'b']) show(first.queryClient, server.options(name))
  await vi.advanceTimersByTimeAsync(0)
  server.client.answer()
  const query = first.queryClient.getQueryCache().find({ queryKey: ['a'] })!
  for (const observer of query.observers) observer.setOptions({ ...observer.options, meta: {} })
  for (const name of ['a', 'b']) server.change(name)
  server.client.deliver()
  await vi.advanceTimersByTimeAsync(0)
  const stored = overTheWire(dehydrate(first.queryClient))
  first.binding.close()

  const second = openPage(server)
  hydrate(second.queryClient, stored)
  for (const name of ['a', 'b']) show(second.queryClient, server.options(name))
  server.client.hello()
  await vi.advanceTimersByTimeAsync(0)
  server.client.answer()
  await vi.advanceTimersByTimeAsync(0)

  expect(second.queryClient.getQueryData(['a'])).toBe(1)
})

it('a query that has got its tags since is as new as the store says again', async () => {
  const server = createServer(['a'])
  const first = openPage(server)
  server.client.hello()
  first.queryClient.setQueryData(['a'], 0)
  await settle()
  show(first.queryClient, server.options('a'))
  server.client.answer()
  await settle()
  const stored = overTheWire(dehydrate(first.queryClient))
  first.binding.close()

  const second = openPage(server)
  hydrate(second.queryClient, stored)
  show(second.queryClient, server.options('a'))
  server.client.hello()
  await settle()

  expect(server.reads).toEqual([])
})

it('a snapshot that cannot be read makes everything beside it outdated (guarantees 8, 14)', async () => {
  const server = createServer(['a'])
  const first = openPage(server)
  server.client.hello()
  show(first.queryClient, server.options('a'))
  await vi.advanceTimersByTimeAsync(0)
  server.client.answer()
  await settle()
  const stored = overTheWire(dehydrate(first.queryClient))
  first.binding.close()
  server.reads.length = 0

  const { queryKey } = stored.queries.find(({ queryKey: [name] }) => name === '@query-tags/cursor')!
  for (const query of stored.queries) if (query.queryKey === queryKey) query.state.data = { [GLOBAL]: 'e:0' }
  const second = openPage(server)
  hydrate(second.queryClient, stored)
  show(second.queryClient, server.options('a'))
  server.client.hello()
  await settle()
  await vi.advanceTimersByTimeAsync(0)

  expect(server.reads).toEqual(['a'])
})

it('data that had no tags when they were stored do not pass for new in a store that is written as they come (guarantee 8)', async () => {
  const server = createServer(['a', 'b'])
  const first = openPage(server)
  server.client.hello()
  show(first.queryClient, server.options('b'))
  await vi.advanceTimersByTimeAsync(0)
  server.client.answer()
  await settle()
  first.queryClient.setQueryData(['a'], 0)
  for (const name of ['a', 'b']) server.change(name)
  server.client.deliver()
  await vi.advanceTimersByTimeAsync(0)
  let stored = overTheWire(dehydrate(first.queryClient))
  first.binding.close()

  const second = openPage(server)
  server.client.hello()
  show(second.queryClient, { ...server.options('a'), enabled: false })
  show(second.queryClient, { ...server.options('c'), queryFn: () => 0 })
  await vi.advanceTimersByTimeAsync(0)
  server.client.answer()
  await settle()
  hydrate(second.queryClient, stored)
  stored = overTheWire(dehydrate(second.queryClient))
  second.binding.close()
  const third = openPage(server)
  hydrate(third.queryClient, stored)
  show(third.queryClient, server.options('a'))
  server.client.hello()
  await vi.advanceTimersByTimeAsync(0)

  expect(third.queryClient.getQueryData(['a'])).toBe(1)
})

function snapshotsIn(queryClient: QueryClient): number {
  return queryClient.getQueryCache().findAll({ queryKey: ['@query-tags/cursor'] }).length
}

it.each<[string, (queryClient: QueryClient) => unknown]>([
  ['clear', (queryClient) => queryClient.clear()],
  ['removeQueries', (queryClient) => queryClient.removeQueries()],
  ['resetQueries', (queryClient) => queryClient.resetQueries()],
])('after %s, data that are fetched anew are stored with a cursor, though it did not move', async (_method, empty) => {
  const server = createServer(['a'])
  const first = openPage(server)
  server.client.hello()
  await first.queryClient.prefetchQuery(server.options('a'))
  server.client.answer()
  await settle()

  empty(first.queryClient)
  await settle()
  await first.queryClient.prefetchQuery(server.options('a'))
  server.client.answer()
  await settle()
  const stored = anHourOld(overTheWire(dehydrate(first.queryClient)))
  first.binding.close()
  server.reads.length = 0
  const second = openPage(server)
  hydrate(second.queryClient, stored)
  show(second.queryClient, server.options('a'))
  server.client.hello()
  await vi.advanceTimersByTimeAsync(0)

  expect(server.reads).toEqual([])
})

it('leaves a cache empty that was cleared', async () => {
  const server = createServer(['a'])
  const { queryClient } = openPage(server)
  server.client.hello()
  await queryClient.prefetchQuery(server.options('a'))
  server.client.answer()
  await settle()

  queryClient.clear()
  await settle()

  expect(queryClient.getQueryCache().getAll()).toEqual([])
})

it('keeps one snapshot, however many pages of a server where nothing changes come in', async () => {
  const server = createServer(['a'])
  const { queryClient } = openPage(server)
  server.client.hello()
  for (let visit = 0; visit < 10; visit++) {
    hydrate(queryClient, await server.render({ [GLOBAL]: 'e:0' }))
    show(queryClient, server.options('a'))
    await settle()
    server.client.answer()
    await settle()
  }

  expect(snapshotsIn(queryClient)).toBe(1)
})

it('keeps its snapshot as it is when the app refetches everything, also with a default query function', async () => {
  const server = createServer(['a'])
  const { queryClient } = openPage(server)
  const asked: unknown[] = []
  const queryFn = ({ queryKey }: { queryKey: readonly unknown[] }): number => asked.push(queryKey)
  queryClient.setDefaultOptions({ queries: { queryFn, retry: false, staleTime: Infinity } })
  server.client.hello()
  show(queryClient, server.options('a'))
  await vi.advanceTimersByTimeAsync(0)
  server.client.answer()
  await settle()
  const before = snapshotOf(queryClient)

  await queryClient.refetchQueries()
  await settle()

  expect(asked).toEqual([])
  expect(snapshotOf(queryClient)).toEqual(before)
})

it('writes its snapshot once when the app puts back what it stored of the same cache', async () => {
  const server = createServer(['a'])
  const { queryClient, binding } = openPage(server)
  server.client.hello()
  await queryClient.fetchQuery(server.options('a'))
  await settle()
  const { queries } = overTheWire(dehydrate(queryClient))
  queryClient.clear()
  let writes = 0
  queryClient.getQueryCache().subscribe(({ type, query }) => {
    if (type === 'updated' && isSnapshot(query)) writes++
  })

  // The snapshot first, as when it was written before the data were fetched.
  hydrate(queryClient, { queries: queries.toReversed() })
  await settle()
  // Before anything is expected: what writes for ever would stop the tests.
  binding.close()

  expect(writes).toBe(1)
})

function snapshotOf(queryClient: QueryClient): unknown {
  return dehydrate(queryClient).queries.find(({ queryKey: [name] }) => name === '@query-tags/cursor')!.state.data
}

it('data of any age that the app writes anew before they have tags are of any age (guarantee 8)', async () => {
  const server = createServer(['a'])
  const stored = new QueryClient()
  stored.setQueryData(['a'], 0)
  server.change('a')
  const { queryClient } = openPage(server)
  hydrate(queryClient, anHourOld(overTheWire(dehydrate(stored))))

  queryClient.setQueryData<number>(['a'], (old) => old)
  show(queryClient, server.options('a'))
  server.client.hello()
  await vi.advanceTimersByTimeAsync(0)

  expect(queryClient.getQueryData(['a'])).toBe(1)
})

it('does not write its snapshot for ever where the app removes it each time', async () => {
  const server = createServer(['a'])
  const { queryClient } = openPage(server)
  const cache = queryClient.getQueryCache()
  let removals = 0
  cache.subscribe(({ type, query }) => {
    // Not always: what writes for ever would stop the tests.
    if (type === 'updated' && isSnapshot(query) && removals < 100 && ++removals) cache.remove(query)
  })

  server.client.hello()
  show(queryClient, server.options('a'))
  await vi.advanceTimersByTimeAsync(0)
  server.client.answer()
  for (let i = 0; i < 20; i++) await settle()

  expect(removals).toBeLessThan(10)
})

it('each query without tags that comes costs one step, however many are there', async () => {
  const server = createServer(['a'])
  const { queryClient } = openPage(server)
  server.client.hello()
  show(queryClient, server.options('a'))
  await vi.advanceTimersByTimeAsync(0)
  server.client.answer()
  await vi.advanceTimersByTimeAsync(0)
  queryClient.setQueryData(['first'], 0)
  const kept = queryClient.getQueryCache().getAll().find(isSnapshot)!
  const { except } = kept.state.data as { except: string[] }

  for (let i = 0; i < 100; i++) queryClient.setQueryData(['more', i], i)

  // The list that was written last has grown, and was not made anew.
  expect((kept.state.data as { except: string[] }).except).toBe(except)
  expect(except).toHaveLength(101)
})
