import { withTags } from '@query-tags/core'
import { focusManager, MutationObserver, QueryClient, QueryObserver } from '@tanstack/query-core'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { bindTags, withInvalidates } from '../src/index.ts'
import { ScriptedClient } from './scripted-client.ts'
import { createWorld, settle } from './world.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  focusManager.setFocused(undefined)
  vi.useRealTimers()
})

it('25 invalidations in 500 ms against a 50 ms query: at most 12 requests, painting in between, the last value right', async () => {
  const { queryClient, client } = createWorld()
  let value = 0
  let requests = 0
  const painted: number[] = []
  const queryFn = async (): Promise<number> => {
    requests++
    const read = value
    await new Promise((resolve) => setTimeout(resolve, 50))
    return read
  }
  const observer = new QueryObserver(queryClient, withTags({ queryKey: ['value'], queryFn }, [['value']]))
  observer.subscribe(({ data }) => data !== undefined && data !== painted.at(-1) && painted.push(data))
  client.hello()
  await vi.advanceTimersByTimeAsync(100)
  requests = 0

  for (let i = 0; i < 25; i++) {
    value++
    client.invalidate(['value'])
    await vi.advanceTimersByTimeAsync(20)
  }
  const paintedDuring = painted.length
  await vi.advanceTimersByTimeAsync(200)

  expect(requests).toBeLessThanOrEqual(12)
  expect(paintedDuring).toBeGreaterThan(4)
  expect(painted.at(-1)).toBe(25)
})

it('with 10,000 cached queries and 5 matches, 5 queries are looked at', async () => {
  const { queryClient, client } = createWorld()
  const asked = new Set<string>()
  for (let i = 0; i < 10_000; i++) {
    const meta = {
      get tags(): readonly [string, number][] {
        asked.add(`${i}`)
        return tags
      },
    }
    const tags: readonly [string, number][] = [['item', i % 2000]]
    queryClient
      .getQueryCache()
      .build(queryClient, { queryKey: ['item', i], meta }, undefined)
      .setData(i)
  }
  client.hello()
  await settle()
  asked.clear()

  client.invalidate(['item', 7])

  expect([...asked].sort()).toEqual(['2007', '4007', '6007', '7', '8007'])
})

it('runs four refetches side by side, and the others as they settle', async () => {
  const { queryClient, client } = createWorld()
  let running = 0
  let most = 0
  let done = 0
  const queryFn = async (): Promise<number> => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setTimeout(resolve, 10))
    running--
    return ++done
  }
  for (let i = 0; i < 50; i++) {
    new QueryObserver(queryClient, withTags({ queryKey: [i], queryFn }, [['all']])).subscribe(() => undefined)
  }
  client.hello()
  await vi.advanceTimersByTimeAsync(100)
  most = 0
  done = 0

  client.invalidate(['all'])
  await vi.advanceTimersByTimeAsync(1000)

  expect(most).toBe(4)
  expect(done).toBe(50)
})

it('hung refetches do not stop the others for more than 10 s', async () => {
  const { queryClient, client } = createWorld()
  let hang = false
  let others = 0
  for (let i = 0; i < 4; i++) {
    const queryFn = () => (hang ? new Promise<number>(() => undefined) : 1)
    new QueryObserver(queryClient, withTags({ queryKey: ['hung', i], queryFn }, [['all']])).subscribe(() => undefined)
  }
  new QueryObserver(queryClient, withTags({ queryKey: ['other'], queryFn: () => ++others }, [['all']])).subscribe(
    () => undefined,
  )
  client.hello()
  await vi.advanceTimersByTimeAsync(0)

  hang = true
  client.invalidate(['all'])
  await vi.advanceTimersByTimeAsync(10_000)

  expect(others).toBe(2)
})

it('a hidden tab marks at once and fetches when it is looked at', async () => {
  const { queryClient, client } = createWorld()
  let reads = 0
  new QueryObserver(queryClient, withTags({ queryKey: ['value'], queryFn: () => ++reads }, [['value']])).subscribe(
    () => undefined,
  )
  client.hello()
  await vi.advanceTimersByTimeAsync(0)

  focusManager.setFocused(false)
  client.invalidate(['value'])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(reads).toBe(1)
  expect(queryClient.getQueryState(['value'])!.isInvalidated).toBe(true)
  focusManager.setFocused(true)
  await vi.advanceTimersByTimeAsync(0)

  expect(reads).toBe(2)
})

/** Every frame and reset asks for this spread. */
class SpreadingClient extends ScriptedClient {
  override attach(...[binding]: Parameters<ScriptedClient['attach']>) {
    return super.attach({
      onHello: () => binding.onHello(),
      onReset: (reset) => binding.onReset({ ...reset, spreadMs: 1000 }),
      onMissed: (added, missed) => binding.onMissed(added, missed),
      onInvalidate: (invalidation) =>
        binding.onInvalidate({ ...invalidation, spreadMs: invalidation.source === 'receipt' ? 0 : 1000 }),
    })
  }
}

/** A page that shows one query, half of whose spread is to come. */
async function createSpreadingWorld() {
  const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } })
  const client = new SpreadingClient()
  const environment = { now: () => Date.now(), after, random: () => 0.5 }
  const binding = bindTags({ queryClient, client, environment })
  const reads: number[] = []
  const options = withTags({ queryKey: ['value'], queryFn: () => reads.push(Date.now()) }, [['value']])
  new QueryObserver(queryClient, options).subscribe(() => undefined)
  client.hello()
  await vi.advanceTimersByTimeAsync(0)
  reads.length = 0
  return { queryClient, client, binding, options, reads }
}

it('spreads refetches over the time the server asks for, marking at once', async () => {
  const { queryClient, client, reads } = await createSpreadingWorld()

  client.invalidate(['value'])
  await vi.advanceTimersByTimeAsync(499)
  expect(reads).toEqual([])
  expect(queryClient.getQueryState(['value'])!.isInvalidated).toBe(true)
  await vi.advanceTimersByTimeAsync(1)

  expect(reads).toHaveLength(1)
})

type SpreadingWorld = Awaited<ReturnType<typeof createSpreadingWorld>>

it.each<[string, (world: SpreadingWorld) => unknown]>([
  ['invalidateLocally', ({ binding }) => binding.invalidateLocally([['value']])],
  ['a receipt', ({ client }) => client.applyReceipt(client.record(['value']))],
  [
    'a mutation declared with withInvalidates',
    ({ queryClient }) =>
      new MutationObserver(queryClient, withInvalidates({ mutationFn: async () => 1 }, [['value']])).mutate(),
  ],
  [
    'an observer that mounts',
    ({ queryClient, options }) =>
      new QueryObserver(queryClient, { ...options, refetchOnMount: false }).subscribe(() => undefined),
  ],
])('%s does not wait for the spread of a reset, and fetches once', async (_what, act) => {
  const world = await createSpreadingWorld()
  world.client.reset()
  await vi.advanceTimersByTimeAsync(100)
  expect(world.reads).toEqual([])

  await act(world)
  await vi.advanceTimersByTimeAsync(0)
  expect(world.reads).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(1000)

  expect(world.reads).toHaveLength(1)
})

it('a render in the midst of a spread does not end it', async () => {
  const { queryClient, client, options, reads } = await createSpreadingWorld()
  client.reset()

  const query = queryClient.getQueryCache().find({ queryKey: ['value'] })!
  for (const observer of query.observers) observer.setOptions({ ...options, select: (value) => value })
  await vi.advanceTimersByTimeAsync(499)

  expect(reads).toEqual([])
})

it('a disabled and a static query are marked, and fetch as TanStack says', async () => {
  const { queryClient, client } = createWorld()
  const reads = { disabled: 0, static: 0 }
  const disabled = withTags({ queryKey: ['disabled'], queryFn: () => ++reads.disabled, initialData: 0 }, [['value']])
  const observer = new QueryObserver(queryClient, { ...disabled, enabled: false })
  observer.subscribe(() => undefined)
  const fixed = withTags({ queryKey: ['static'], queryFn: () => ++reads.static, staleTime: 'static' as const }, [
    ['value'],
  ])
  new QueryObserver(queryClient, fixed).subscribe(() => undefined)
  client.hello()
  await vi.advanceTimersByTimeAsync(0)

  client.invalidate(['value'])
  await vi.advanceTimersByTimeAsync(0)

  expect(reads).toEqual({ disabled: 0, static: 1 })
  expect(queryClient.getQueryState(['disabled'])!.isInvalidated).toBe(true)
  expect(queryClient.getQueryState(['static'])!.isInvalidated).toBe(true)
  observer.setOptions({ ...disabled, enabled: true })
  await vi.advanceTimersByTimeAsync(0)
  expect(reads.disabled).toBe(1)
})

function after(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms)
  return () => clearTimeout(timer)
}
