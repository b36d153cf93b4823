import { withTags } from '@query-tags/core'
import { bindTags } from '@query-tags/query-core'
import { createTagInvalidationSystem } from '@query-tags/server'
import { QueryClient, QueryObserver } from '@tanstack/query-core'
import { expect, it, onTestFinished, vi } from 'vitest'
import { createInvalidatorClient, type ControlFunction } from '../src/index.ts'

const SOON = { timeout: 20_000 }
const ROUTE = 'http://app.test/api/invalidator'

/** A server, called without a network, and a page that shows one value and then another. */
function createApp(control?: (app: { handleControl: (message: unknown) => Promise<unknown> }) => ControlFunction) {
  const system = createTagInvalidationSystem()
  const handler = system.createAPIHandler()
  const requests: string[] = []
  const client = createInvalidatorClient({
    sseBasePath: ROUTE,
    fetch: (input, init) => {
      const request = new Request(input, init)
      requests.push(`${request.method} ${new URL(request.url).pathname}`)
      return handler(request)
    },
    control: control?.({ handleControl: (message) => system.handleControl(message) }),
  })
  const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } })
  const binding = bindTags({ queryClient, client })
  onTestFinished(async () => {
    binding.close()
    queryClient.clear()
    await system.close()
  })
  const reads = { first: 0, second: 0 }
  const show = (name: 'first' | 'second'): void => {
    const options = withTags({ queryKey: [name], queryFn: () => ++reads[name] }, [[name]])
    new QueryObserver(queryClient, options).subscribe(() => undefined)
  }
  show('first')
  return { system, client, requests, reads, show }
}

type App = ReturnType<typeof createApp>

/** A tag that is shown once the stream is open has to be asked for by a control message. */
async function showTheSecondLate({ client, show, reads, system }: App): Promise<void> {
  await vi.waitFor(() => expect(client.status.state).toBe('live'), SOON)
  show('second')
  await vi.waitFor(() => expect(system.stats().watchedTags).toBe(2), SOON)
  await system.invalidateTags({ tags: [['second']] })
  await vi.waitFor(() => expect(reads.second).toBe(2), SOON)
}

it('sends control messages to the mounted route', async () => {
  const app = createApp()

  await showTheSecondLate(app)

  expect(app.requests).toEqual(['POST /api/invalidator', 'POST /api/invalidator/watch'])
})

it('sends control messages through the server function of the app, and the stream through the route', async () => {
  const control = vi.fn<ControlFunction>()
  const app = createApp(({ handleControl }) => control.mockImplementation(({ data }) => handleControl(data) as never))

  await showTheSecondLate(app)

  expect(control).toHaveBeenCalledOnce()
  expect(control.mock.calls[0]![0].signal).toBeInstanceOf(AbortSignal)
  expect(app.requests).toEqual(['POST /api/invalidator'])
})

it('opens the stream anew, with the whole list, when the function answers that the connection is elsewhere', async () => {
  const app = createApp(() => async () => ({ status: 409, body: { code: 'not-here', message: '' } }))

  await showTheSecondLate(app)

  expect(app.requests).toEqual(['POST /api/invalidator', 'POST /api/invalidator'])
})

it('tries again when the function throws', async () => {
  const control = vi.fn<ControlFunction>()
  const app = createApp(({ handleControl }) =>
    control
      .mockRejectedValueOnce(new Error('Failed to fetch'))
      .mockImplementation(({ data }) => handleControl(data) as never),
  )

  await showTheSecondLate(app)

  expect(control).toHaveBeenCalledTimes(2)
  expect(app.requests).toEqual(['POST /api/invalidator'])
})

it('takes an answer that is none for a broken one', async () => {
  const control = vi.fn<ControlFunction>()
  const app = createApp(({ handleControl }) =>
    control
      .mockResolvedValueOnce({ status: 200, body: undefined as never })
      .mockImplementation(({ data }) => handleControl(data) as never),
  )

  await showTheSecondLate(app)

  expect(control).toHaveBeenCalledTimes(2)
})
