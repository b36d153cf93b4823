import {
  InfiniteQueryObserver,
  MutationObserver,
  onlineManager,
  QueryObserver,
  type InfiniteData,
  type QueryKey,
} from '@tanstack/query-core'
import { withTags } from '@query-tags/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { bindTags, withInvalidates } from '../src/index.ts'
import { createWorld, settle, type World } from './world.ts'

const key: QueryKey = ['value']

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  onlineManager.setOnline(true)
  vi.useRealTimers()
})

function options(world: World) {
  return withTags({ queryKey: ['value'], queryFn: world.database.read }, [['value']])
}

function observe(world: World, extra: object = {}) {
  const observer = new QueryObserver(world.queryClient, { ...options(world), ...extra })
  const stop = observer.subscribe(() => undefined)
  return { observer, stop }
}

function state(world: World) {
  return world.queryClient.getQueryState<number>(key)!
}

/** Lets every read arrive until none is in flight. */
async function drain(world: World): Promise<void> {
  await vi.advanceTimersByTimeAsync(0)
  for (let i = 0; world.database.pending > 0; i++) {
    if (i > 50) throw new Error('it never settles')
    await world.database.arrive()
    await vi.advanceTimersByTimeAsync(0)
  }
}

async function expectCurrent(world: World): Promise<void> {
  await drain(world)
  expect(state(world).data).toBe(world.database.value)
  expect(state(world).isInvalidated).toBe(false)
}

/** With the stream open and the query's tag acknowledged. */
async function connected(): Promise<World> {
  const world = createWorld()
  world.client.hello()
  return world
}

describe('a fetch that began before an invalidation never ends fresh (guarantee 7)', () => {
  it('when the first fetch is in flight', async () => {
    const world = createWorld()
    observe(world)
    world.client.hello()

    world.change()
    await world.database.arrive()

    expect(state(world).isInvalidated).toBe(true)
    await expectCurrent(world)
    expect(world.database.reads).toBe(2)
  })

  it.each<[string, (world: World) => Promise<unknown>]>([
    ['prefetchQuery', (world) => world.queryClient.prefetchQuery(options(world))],
    ['ensureQueryData', (world) => world.queryClient.ensureQueryData(options(world))],
    ['fetchQuery', (world) => world.queryClient.fetchQuery(options(world))],
  ])('during %s', async (_method, fetch) => {
    const world = createWorld()
    const fetched = fetch(world)
    world.client.hello()

    world.change()
    await world.database.arrive()
    await fetched

    expect(state(world)).toMatchObject({ data: 0, isInvalidated: true })
    observe(world)
    await expectCurrent(world)
  })

  it('during a suspense fetch, which has no observer yet', async () => {
    const world = createWorld()
    const observer = new QueryObserver(world.queryClient, options(world))
    const fetched = observer.fetchOptimistic(options(world))
    world.client.hello()

    world.change()
    await world.database.arrive()
    await fetched
    observer.subscribe(() => undefined)

    await expectCurrent(world)
  })

  it('during a background fetch without observers', async () => {
    const world = await connected()
    const { stop } = observe(world)
    await drain(world)
    world.client.answer()
    stop()

    void world.queryClient.refetchQueries({ queryKey: key, type: 'all' })
    await settle()
    world.change()
    await world.database.arrive()

    expect(state(world)).toMatchObject({ data: 0, isInvalidated: true })
  })

  it('when its query unmounts during the refetch, and the fetch is reverted', async () => {
    const world = await connected()
    const abortable = { queryFn: ({ signal }: { signal: AbortSignal }) => (signal.aborted ? 0 : world.database.read()) }
    const { stop } = observe(world, abortable)
    await drain(world)
    world.client.answer()

    void world.queryClient.refetchQueries({ queryKey: key })
    await settle()
    world.change()
    expect(state(world).fetchStatus).toBe('fetching')
    stop()
    await settle()

    expect(state(world)).toMatchObject({ data: 0, isInvalidated: true, fetchStatus: 'idle' })
  })

  it('when a disabled query is refetched by hand', async () => {
    const world = createWorld()
    const { observer } = observe(world, { enabled: false })
    void observer.refetch()
    world.client.hello()

    world.change()
    await world.database.arrive()

    expect(state(world)).toMatchObject({ data: 0, isInvalidated: true })
    observer.setOptions({ ...options(world), enabled: true })
    await expectCurrent(world)
  })

  it('when it is invalidated in the back-off of a retry', async () => {
    const world = createWorld()
    observe(world, { retry: 1, retryDelay: 1000 })
    world.client.hello()
    await world.database.fail()

    world.change()
    await vi.advanceTimersByTimeAsync(1000)

    await expectCurrent(world)
  })

  it('when it fails: a fetch that began before the invalidation is followed by one that began after it', async () => {
    const world = await connected()
    observe(world)
    await drain(world)
    world.client.answer()
    void world.queryClient.refetchQueries({ queryKey: key })
    await settle()

    world.change()
    await world.database.fail()

    await expectCurrent(world)
  })

  it('when it is paused offline, without a fetch more than needed', async () => {
    const world = await connected()
    observe(world)
    await drain(world)
    world.client.answer()

    onlineManager.setOnline(false)
    world.change()
    await settle()
    expect(state(world).fetchStatus).toBe('paused')
    world.change()
    onlineManager.setOnline(true)
    await vi.advanceTimersByTimeAsync(0)

    world.queryClient.getQueryCache().onOnline()
    await expectCurrent(world)
    expect(world.database.reads).toBe(2)
  })
})

it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
  'a fetch that is replaced %i ticks after it was answered, and lands in place of the next, does not end fresh (guarantee 7)',
  async (ticks) => {
    const world = await connected()
    const answers: (() => void)[] = []
    const queryFn = (): Promise<number> => {
      const { value } = world.database
      return new Promise((resolve) => answers.push(() => resolve(value)))
    }
    const { observer } = observe(world, { queryFn })
    answers.shift()!()
    await settle()
    world.client.answer()
    void observer.refetch()
    await settle()

    world.change()
    await settle()
    answers.shift()!()
    for (let i = 0; i < ticks; i++) await Promise.resolve()
    void observer.refetch()
    await settle()

    expect(state(world).data === 1 || state(world).isInvalidated).toBe(true)
    while (answers.length > 0) {
      answers.shift()!()
      await settle()
    }
    expect(state(world)).toMatchObject({ data: 1, isInvalidated: false })
  },
)

describe('data that are written by hand do not hide an invalidation', () => {
  it('setQueryData on an invalidated inactive query leaves it invalidated', async () => {
    const world = await connected()
    const { stop } = observe(world)
    await drain(world)
    world.client.answer()
    stop()

    world.change()
    world.queryClient.setQueryData<number>(key, (old) => old)

    expect(state(world).isInvalidated).toBe(true)
  })

  it('cancelQueries and setQueryData over our refetch are followed by another', async () => {
    const world = await connected()
    observe(world)
    await drain(world)
    world.client.answer()

    world.change()
    await settle()
    void world.queryClient.cancelQueries({ queryKey: key })
    world.queryClient.setQueryData<number>(key, (old) => old)

    await expectCurrent(world)
  })

  it('an optimistic update is not overwritten while its mutation runs', async () => {
    const world = await connected()
    observe(world)
    await drain(world)
    world.client.answer()
    const answered = Promise.withResolvers<number>()
    const mutation = new MutationObserver(world.queryClient, {
      mutationFn: () => answered.promise,
      onMutate: async () => {
        await world.queryClient.cancelQueries({ queryKey: key })
        world.queryClient.setQueryData(key, 41)
      },
    })

    world.change()
    await settle()
    const mutated = mutation.mutate()
    await vi.advanceTimersByTimeAsync(5000)

    expect(state(world)).toMatchObject({ data: 41, isInvalidated: true, fetchStatus: 'idle' })
    world.database.value = 42
    answered.resolve(42)
    await mutated
    await expectCurrent(world)
  })

  it('data that came after a receipt and are older are hit by its frame, when the replay is what answers for them (guarantee 1)', async () => {
    const { queryClient, client, database } = createWorld()
    client.hello()
    await settle()
    client.applyReceipt(client.record(['value']))
    const late = { queryKey: ['value'], queryFn: database.read, initialData: 0 }
    new QueryObserver(queryClient, withTags(late, [['value']])).subscribe(() => undefined)

    // The stream opens anew before the server has answered what they missed.
    client.hello()
    await settle()

    expect(database.reads).toBe(1)
  })

  it('data written within 30 s of an invalidation are fetched again, older writes are trusted', async () => {
    const world = await connected()
    observe(world)
    await drain(world)
    world.client.answer()
    await vi.advanceTimersByTimeAsync(40_000)
    world.queryClient.setQueryData(key, 0)
    await settle()
    expect(world.database.reads).toBe(1)

    world.change()
    await drain(world)
    await vi.advanceTimersByTimeAsync(1000)
    world.queryClient.setQueryData(key, 0)

    await expectCurrent(world)
    expect(world.database.reads).toBe(3)
  })

  it('what a mutation writes that began before the binding is as old as anything can be (guarantee 8)', async () => {
    const world = await connected()
    const answered = Promise.withResolvers<undefined>()
    const mutation = new MutationObserver(world.queryClient, {
      mutationFn: async () => {
        const { value } = world.database
        await answered.promise
        world.queryClient.setQueryData(key, value)
      },
    })
    const mutated = mutation.mutate()
    await settle()
    world.change()

    world.binding.close()
    const { queryClient, client } = world
    bindTags({ queryClient, client })
    client.hello()
    await queryClient.prefetchQuery(withTags({ queryKey: ['other'], queryFn: () => 0 }, [['other']]))
    queryClient.setQueryDefaults(key, { meta: options(world).meta })
    await vi.advanceTimersByTimeAsync(60_000)
    answered.resolve(undefined)
    await mutated
    client.answer()

    expect(state(world)).toMatchObject({ data: 0, isInvalidated: true })
  })
})

async function arrive(pages: { arrive: (() => void)[] }): Promise<void> {
  for (let i = 0; pages.arrive.length > 0; i++) {
    if (i > 50) throw new Error('it never settles')
    pages.arrive.shift()!()
    await settle()
  }
}

describe('infinite queries', () => {
  interface Page {
    readonly page: number
    readonly value: number
  }
  const infinite = (world: World, pages: { arrive: (() => void)[] }) =>
    withTags(
      {
        queryKey: ['pages'],
        queryFn: async ({ pageParam }: { pageParam: number }): Promise<Page> => {
          const { value } = world.database
          await new Promise<void>((resolve) => pages.arrive.push(resolve))
          return { page: pageParam, value }
        },
        initialPageParam: 0,
        getNextPageParam: (_last: Page, _all: Page[], param: number) => param + 1,
      },
      [['value']],
    )

  it('an invalidation during fetchNextPage keeps the new page, and the old pages do not stay stale', async () => {
    const world = await connected()
    const pages = { arrive: [] as (() => void)[] }
    const observer = new InfiniteQueryObserver(world.queryClient, infinite(world, pages))
    observer.subscribe(() => undefined)
    await arrive(pages)
    world.client.answer()

    void observer.fetchNextPage()
    world.change()
    pages.arrive.shift()!()
    await settle()

    const afterNext = world.queryClient.getQueryData<InfiniteData<Page>>(['pages'])!
    expect(afterNext.pages.map(({ page }) => page)).toEqual([0, 1])
    await arrive(pages)
    const data = world.queryClient.getQueryData<InfiniteData<Page>>(['pages'])!
    expect(data.pages).toEqual([
      { page: 0, value: 1 },
      { page: 1, value: 1 },
    ])
    expect(world.queryClient.getQueryState(['pages'])!.isInvalidated).toBe(false)
  })

  it.each([
    ['before the page that failed', false],
    ['while the retry waits for the network', true],
  ])('an invalidation %s leaves no page fresh that the retry keeps (guarantee 7)', async (_when, isOffline) => {
    const world = await connected()
    world.queryClient.mount()
    const pages = { arrive: [] as (() => void)[] }
    const { queryFn, ...rest } = infinite(world, pages)
    let isDown = false
    const readOrFail: typeof queryFn = async (context) => {
      const page = await queryFn(context)
      if (isDown && page.page === 1) throw new Error('the network is down')
      return page
    }
    const failing = { ...rest, queryFn: readOrFail, retry: true, retryDelay: 100 }
    const observer = new InfiniteQueryObserver(world.queryClient, failing)
    observer.subscribe(() => undefined)
    await arrive(pages)
    void observer.fetchNextPage()
    await arrive(pages)
    world.client.answer()

    isDown = true
    void observer.refetch()
    await settle()
    pages.arrive.shift()!()
    await settle()
    if (!isOffline) world.change()
    onlineManager.setOnline(!isOffline)
    await arrive(pages)
    if (isOffline) world.change()
    isDown = false
    await vi.advanceTimersByTimeAsync(100)
    onlineManager.setOnline(true)
    await settle()
    await arrive(pages)

    const data = world.queryClient.getQueryData<InfiniteData<Page>>(['pages'])!
    expect(data.pages.map(({ value }) => value)).toEqual([1, 1])
    expect(world.queryClient.getQueryState(['pages'])!.isInvalidated).toBe(false)
    world.queryClient.unmount()
  })

  it('fetchNextPage on a query that was invalidated while inactive does not make its old pages fresh', async () => {
    const world = await connected()
    const pages = { arrive: [] as (() => void)[] }
    const observer = new InfiniteQueryObserver(world.queryClient, { ...infinite(world, pages), refetchOnMount: false })
    const stop = observer.subscribe(() => undefined)
    await arrive(pages)
    world.client.answer()
    stop()

    world.change()
    observer.subscribe(() => undefined)
    void observer.fetchNextPage()
    await settle()
    await arrive(pages)

    const data = world.queryClient.getQueryData<InfiniteData<Page>>(['pages'])!
    expect(data.pages.every(({ value }) => value === 1)).toBe(true)
  })
})

describe('tags', () => {
  it('of one observer hold when a second has no meta', async () => {
    const world = await connected()
    observe(world)
    await drain(world)
    world.client.answer()
    const plain = new QueryObserver(world.queryClient, { queryKey: key, queryFn: world.database.read })
    plain.subscribe(() => undefined)

    world.change()

    await expectCurrent(world)
    expect(world.database.reads).toBe(2)
  })

  it('of an inactive query are kept when a prefetch without meta wipes them, until it is seen', async () => {
    const world = await connected()
    const { stop } = observe(world)
    await drain(world)
    world.client.answer()
    stop()

    void world.queryClient.prefetchQuery({ queryKey: key, queryFn: world.database.read, staleTime: 0 })
    await drain(world)
    world.change()
    observe(world)

    await drain(world)
    world.client.answer()
    await expectCurrent(world)
  })

  it('that depend on data are watched from when the data were read', async () => {
    const world = await connected()
    const { observer } = observe(world)
    await drain(world)
    world.client.answer()

    world.database.value = 7
    world.client.record(['owner', 1])
    world.client.deliver()
    observer.setOptions(withTags({ ...options(world) }, [['owner', 1]]))
    expect(world.client.asked).toEqual([['owner', 1]])
    world.client.answer()

    await expectCurrent(world)
  })

  it('that a re-render changes are followed, and the old ones no longer refetch it', async () => {
    const world = await connected()
    const tagged = (tag: string) => withTags({ queryKey: ['value'], queryFn: world.database.read }, [[tag]])
    const observer = new QueryObserver(world.queryClient, tagged('a'))
    observer.subscribe(() => undefined)
    await drain(world)
    world.client.answer()
    observer.setOptions(tagged('b'))
    world.client.answer()

    world.client.invalidate(['a'])
    await drain(world)
    expect(world.database.reads).toBe(1)
    world.database.value++
    world.client.invalidate(['b'])

    await expectCurrent(world)
    expect(world.client.watched.has('["a"]')).toBe(false)
  })

  it('that change with what a feed brings do not pile up, and are watched again when they come back', async () => {
    const world = await connected()
    const feed = { ...options(world), queryKey: ['feed'], enabled: false, initialData: 0 }
    const observer = new QueryObserver(world.queryClient, feed)
    observer.subscribe(() => undefined)
    const show = (page: number): void => {
      observer.setOptions(
        withTags(
          feed,
          [0, 1, 2].map((item) => ['item', page + item]),
        ),
      )
      world.client.answer()
    }
    for (let page = 0; page < 1000; page++) show(page)
    expect(world.client.watched.size).toBeLessThan(200)

    world.client.invalidate(['item', 1])
    expect(world.queryClient.getQueryState(['feed'])?.isInvalidated).toBe(false)
    show(0)
    expect(world.queryClient.getQueryState(['feed'])?.isInvalidated).toBe(true)
  })

  it('that are no tags are reported once and break nothing', async () => {
    const errors: unknown[] = []
    const world = createWorld({ onError: (error) => errors.push(error) })
    const bad = { queryKey: ['value'], queryFn: world.database.read, meta: { tags: ['todos'] } }
    new QueryObserver(world.queryClient, bad).subscribe(() => undefined)
    await drain(world)

    expect(state(world).data).toBe(0)
    expect(errors).toEqual([
      expect.objectContaining({ code: 'invalid-tag', message: expect.stringContaining('todos') as string }),
    ])
  })
})

describe('read positions', () => {
  it('data that were there before the binding are as old as the page', async () => {
    const world = createWorld()
    world.binding.close()
    observe(world)
    await drain(world)
    world.database.value++
    world.client.record(['value'])

    bindTags({ queryClient: world.queryClient, client: world.client })
    world.client.hello()

    await expectCurrent(world)
  })

  it('initialData from another query are as old as the page', async () => {
    const world = await connected()
    world.database.value++
    world.client.record(['value'])
    world.client.deliver()

    observe(world, { initialData: 0 })
    world.client.answer()

    await expectCurrent(world)
  })

  it('a query that was read before and watched after a heartbeat gets what it missed', async () => {
    const world = await connected()
    observe(world)
    await settle()

    world.database.value++
    world.client.record(['value'])
    world.client.deliver()
    await world.database.arrive()
    expect(world.client.asked).toEqual([['value']])
    world.client.answer()

    await expectCurrent(world)
  })

  it('an ordinary refetch sends no watch request', async () => {
    const world = await connected()
    observe(world)
    await drain(world)
    world.client.answer()

    for (let i = 0; i < 5; i++) {
      world.change()
      await drain(world)
      world.client.answer()
    }

    expect(world.client.requests).toBe(1)
    expect(world.database.reads).toBe(6)
  })

  it('tags of the first render go with the opening of the stream', async () => {
    const world = createWorld()
    observe(world)
    expect(world.client.asked).toEqual([['value']])
    world.client.hello()
    await drain(world)

    expect(world.client.asked).toEqual([])
    expect(world.client.requests).toBe(0)
    world.change()
    await expectCurrent(world)
  })

  it('data set by setState are as old as the page', async () => {
    const world = await connected()
    observe(world)
    await drain(world)
    world.client.answer()
    world.change()
    await drain(world)

    world.queryClient
      .getQueryCache()
      .get('["value"]')!
      .setState({ data: 0, dataUpdatedAt: Date.now() + 1 })

    await expectCurrent(world)
  })
})

describe('receipts', () => {
  it('refetch at once, and the frame of the same change causes no second fetch', async () => {
    const world = await connected()
    observe(world)
    await drain(world)
    world.client.answer()

    world.database.value++
    world.client.applyReceipt(world.client.record(['value']))
    await drain(world)
    world.client.deliver()

    await expectCurrent(world)
    expect(world.database.reads).toBe(2)
  })

  it('do not hide tags that the frame has and the receipt lacks', async () => {
    const world = await connected()
    observe(world)
    await drain(world)
    world.client.answer()

    const receipt = world.client.record(['other'], ['value'])
    world.client.applyReceipt({ ...receipt, tags: [['other']] })
    await drain(world)
    world.database.value++
    world.client.deliver()

    await expectCurrent(world)
  })

  it('do not hide the frame from data whose fetch began before the receipt', async () => {
    const world = await connected()
    observe(world)
    await drain(world)
    world.client.answer()
    void world.queryClient.refetchQueries({ queryKey: key })
    await settle()

    world.database.value++
    world.client.applyReceipt(world.client.record(['value']))
    await world.database.arrive()
    world.client.deliver()

    await expectCurrent(world)
  })
})

describe('mutations declared with withInvalidates', () => {
  it('hold the refetch back until they settle, then refetch at once', async () => {
    const world = await connected()
    observe(world)
    await drain(world)
    world.client.answer()
    const answered = Promise.withResolvers<void>()
    const mutation = new MutationObserver(
      world.queryClient,
      withInvalidates({ mutationFn: () => answered.promise }, [['value']]),
    )
    const mutated = mutation.mutate()
    await settle()

    world.change()
    await vi.advanceTimersByTimeAsync(1000)
    expect(world.database.reads).toBe(1)
    expect(state(world).isInvalidated).toBe(true)
    answered.resolve()
    await mutated

    await expectCurrent(world)
    expect(world.database.reads).toBe(2)
  })

  it('hold it back for 30 s at most', async () => {
    const world = await connected()
    observe(world)
    await drain(world)
    world.client.answer()
    const mutation = new MutationObserver(
      world.queryClient,
      withInvalidates({ mutationFn: () => new Promise(() => undefined) }, [['value']]),
    )
    void mutation.mutate()
    await settle()

    world.change()
    await vi.advanceTimersByTimeAsync(29_000)
    expect(world.database.reads).toBe(1)
    await vi.advanceTimersByTimeAsync(2000)

    await expectCurrent(world)
  })

  it('mark locally on success without a word from the server', async () => {
    const world = await connected()
    observe(world)
    await drain(world)
    const mutation = new MutationObserver(
      world.queryClient,
      withInvalidates({ mutationFn: async () => ++world.database.value }, [['value']]),
    )

    await mutation.mutate()

    await expectCurrent(world)
  })
})

it('a query that mounts while the client is behind is fetched', async () => {
  const world = await connected()
  const { stop } = observe(world)
  await drain(world)
  world.client.answer()
  stop()

  world.database.value++
  world.client.behind = true
  observe(world, { refetchOnMount: false })

  await expectCurrent(world)
})

it('an invalidated inactive query with refetchOnMount off is fetched when it mounts', async () => {
  const world = await connected()
  const { stop } = observe(world)
  await drain(world)
  world.client.answer()
  stop()

  world.change()
  observe(world, { refetchOnMount: false })

  await expectCurrent(world)
})

it('a silent cancel that leaves the query stuck does not stop the refetch', async () => {
  const world = await connected()
  observe(world)
  await drain(world)
  world.client.answer()
  world.change()
  await settle()
  await world.queryClient.cancelQueries({ queryKey: key }, { silent: true, revert: false })

  world.change()

  await vi.advanceTimersByTimeAsync(0)
  await expectCurrent(world)
})

it('a reset refetches every tagged query and leaves others alone', async () => {
  const world = await connected()
  observe(world)
  let others = 0
  new QueryObserver(world.queryClient, { queryKey: ['untagged'], queryFn: () => ++others }).subscribe(() => undefined)
  await drain(world)

  world.database.value++
  world.client.reset()

  await expectCurrent(world)
  expect(others).toBe(1)
})

it('a failing refetch is not repeated in a loop, and the query stays marked', async () => {
  const world = await connected()
  observe(world)
  await drain(world)
  world.client.answer()

  world.change()
  await settle()
  await world.database.fail()
  await vi.advanceTimersByTimeAsync(60_000)

  expect(world.database.reads).toBe(2)
  expect(state(world)).toMatchObject({ data: 0, isInvalidated: true, status: 'error' })
  world.change()
  await expectCurrent(world)
})
