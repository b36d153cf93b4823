import { withTags, type Frames } from '@query-tags/core'
import { createConnection, type Environment, type StreamEvents } from '@query-tags/core/client'
import { QueryClient, QueryObserver } from '@tanstack/query-core'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { bindTags } from '../src/index.ts'

/*
 * What the binding and the connection have to do together. Each has tests of its own, which know the other by its interface only.
 */

const GLOBAL = '["global",null]'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const environment: Environment = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  loadedAt: { now: 0, wall: 0 },
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  },
  random: () => 0.5,
  isOnline: () => true,
  onPageEvent: () => () => undefined,
}

/** A server that the test plays, one stream after the other. */
function createServer() {
  const streams: { readonly events: StreamEvents; readonly end: () => void }[] = []
  const open = (_: unknown, events: StreamEvents): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    streams.push({ events, end: resolve })
    return promise
  }
  const send = <K extends keyof Frames>(event: K, data: Frames[K]): void => {
    streams.at(-1)!.events.onEvent(event, JSON.stringify(data))
  }
  const hello = (cursor: Frames['hello']['cursor']): void =>
    send('hello', { v: 1, connection: 'c', cursor, heartbeatMs: 8000, retryMs: 500, scoped: false })
  return {
    client: createConnection({ transport: { open, watch: () => new Promise(() => undefined) }, environment }),
    streams,
    hello,
    reset: (cursor: Frames['reset']['cursor']) =>
      send('reset', { scopes: [GLOBAL], cursor, reason: 'expired', spreadMs: 0 }),
  }
}

it('marks a query that asked, when the hello of the next stream can not answer for its past (guarantee 1)', async () => {
  const { client, streams, hello, reset } = createServer()
  const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } })
  const binding = bindTags({ queryClient, client })
  await vi.advanceTimersByTimeAsync(0)
  hello({})
  reset({ [GLOBAL]: 'e:100' })

  // As old as the page, of which the first hello said nothing; asked on a stream that ends before it answers.
  const options = { queryKey: ['value'], queryFn: async () => 2, initialData: 1, enabled: false }
  new QueryObserver(queryClient, withTags(options, [['value']])).subscribe(() => undefined)
  streams.at(-1)!.end()
  await vi.advanceTimersByTimeAsync(1000)
  expect(streams).toHaveLength(2)
  hello({ [GLOBAL]: 'e:100' })

  expect(queryClient.getQueryState(['value'])?.isInvalidated).toBe(true)
  binding.close()
})
