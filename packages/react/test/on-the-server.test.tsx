// @vitest-environment node
import { createHTTPInvalidatorClient } from '@query-tags/http-client'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { renderToString } from 'react-dom/server'
import { expect, it, vi } from 'vitest'
import { TagInvalidationProvider, useInvalidateLocally, useInvalidationStatus, useTagListener } from '../src/index.ts'

it('renders on the server as connecting, binds nothing, asks nothing and warns of nothing', () => {
  const fetch = vi.fn<typeof globalThis.fetch>()
  const warnings = vi.spyOn(console, 'error')
  const client = createHTTPInvalidatorClient({ fetch })
  const attach = vi.spyOn(client, 'attach')

  const html = renderToString(
    <QueryClientProvider client={new QueryClient()}>
      <TagInvalidationProvider client={client}>
        <Page />
      </TagInvalidationProvider>
    </QueryClientProvider>,
  )

  expect(html).toBe('<output>connecting</output>')
  expect(attach).not.toHaveBeenCalled()
  expect(fetch).not.toHaveBeenCalled()
  expect(warnings).not.toHaveBeenCalled()
})

it('makes its own client on the server without a window', () => {
  const html = renderToString(
    <QueryClientProvider client={new QueryClient()}>
      <TagInvalidationProvider>
        <Page />
      </TagInvalidationProvider>
    </QueryClientProvider>,
  )

  expect(html).toBe('<output>connecting</output>')
})

function Page() {
  useTagListener([['todos']], () => {})
  useInvalidateLocally()
  return <output>{useInvalidationStatus().state}</output>
}
