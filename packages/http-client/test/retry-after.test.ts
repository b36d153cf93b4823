import type { Refusal } from '@query-tags/core/client'
import { expect, it } from 'vitest'
import { createHTTPTransport } from '../src/http-transport.ts'

async function refusalOf(headers: Record<string, string>): Promise<Refusal> {
  const fetch = async (): Promise<Response> => new Response('<h1>Busy</h1>', { status: 503, headers })
  const transport = createHTTPTransport({ basePath: 'http://app.test', fetch })
  const request = { connection: 'c', watcher: 'w', n: 1, add: [], remove: [], from: {} }
  return transport
    .watch(request, new AbortController().signal)
    .catch((error: unknown) => error as Refusal) as Promise<Refusal>
}

it('knows no time to wait when a refusal names none', async () => {
  const { retryAfterMs } = await refusalOf({})

  // Not NaN: a timer of NaN fires at once, and the client would call without a pause.
  expect(retryAfterMs).toBeUndefined()
})

it.each([
  ['seconds', '7', 7000],
  ['no text that says something', 'soon', undefined],
  ['a date that has passed', 'Wed, 21 Oct 2015 07:28:00 GMT', undefined],
])('reads %s of Retry-After', async (_, header, retryAfterMs) => {
  expect((await refusalOf({ 'retry-after': header })).retryAfterMs).toBe(retryAfterMs)
})

it('reads a date of Retry-After', async () => {
  const { retryAfterMs } = await refusalOf({ 'retry-after': new Date(Date.now() + 60_000).toUTCString() })

  expect(retryAfterMs).toBeGreaterThan(55_000)
  expect(retryAfterMs).toBeLessThanOrEqual(60_000)
})
