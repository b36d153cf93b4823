import { withTags } from '@query-tags/core'
import { focusManager, QueryObserver } from '@tanstack/query-core'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { bindTags } from '../src/index.ts'
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

it('spreads refetches over the time the server asks for, marking at once', async () => {
  const { queryClient, client, binding } = createWorld()
  binding.close()
  const spreading = new (class extends ScriptedClient {
    override attach(...[bound]: Parameters<ScriptedClient['attach']>) {
      return super.attach({
        onHello: () => bound.onHello(),
        onReset: (reset) => bound.onReset(reset),
        onMissed: (added, missed) => bound.onMissed(added, missed),
        onInvalidate: (invalidation) => bound.onInvalidate({ ...invalidation, spreadMs: 1000 }),
      })
    }
  })()
  bindTags({ queryClient, client: spreading, environment: { now: () => Date.now(), after, random: () => 0.5 } })
  client.close()
  let reads = 0
  new QueryObserver(queryClient, withTags({ queryKey: ['value'], queryFn: () => ++reads }, [['value']])).subscribe(
    () => undefined,
  )
  spreading.hello()
  await vi.advanceTimersByTimeAsync(0)

  spreading.invalidate(['value'])
  await vi.advanceTimersByTimeAsync(499)
  expect(reads).toBe(1)
  expect(queryClient.getQueryState(['value'])!.isInvalidated).toBe(true)
  await vi.advanceTimersByTimeAsync(1)

  expect(reads).toBe(2)
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
