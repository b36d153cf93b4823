import { activityLog } from '@query-tags/example-spa/activity/activity-log.ts'
import { TagInvalidationProvider } from '@query-tags/react'
import { createInvalidatorClient } from '@query-tags/start-client'
import { QueryClientProvider } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { use, useEffect } from 'react'
import { DemoShell } from '#/components/demo-shell'
import { Hint } from '#/components/hint'
import { FetchCount, RowGrid } from '#/components/row-grid'
import { keepPage } from '#/lib/keep-page'
import { persistedCache } from '#/lib/persisted-cache'
import { changeRowsServerFn } from '#/lib/server-functions'

// A client is bound to one cache at a time, and this page has its own.
const invalidatorClient = createInvalidatorClient()

export const Route = createFileRoute('/persisted')({
  ssr: false,
  component: Persisted,
})

function Persisted() {
  const queryClient = use(persistedCache())
  useEffect(() => {
    keepPage().catch((error: unknown) =>
      console.warn('This page could not be kept for a visit without a network.', error),
    )
  }, [])
  return (
    <QueryClientProvider client={queryClient}>
      <TagInvalidationProvider client={invalidatorClient} onInvalidation={activityLog.add}>
        <DemoShell queries={<FetchCount />}>
          <Hint title="Persisted cache">
            <p>
              200 queries, kept in this browser.{' '}
              <b>Close this tab, change three rows from another window, and open it again</b>: it shows all 200 at once,
              and fetches three. It may be days later. <b>Or go offline</b>: the built app opens all the same. Change
              rows elsewhere, and come back.
            </p>
          </Hint>
          <section className="card">
            <h2>Rows</h2>
            <RowGrid count={200} />
            <button className="button" onClick={() => void changeRowsServerFn({ data: 3 })}>
              Change three rows
            </button>
          </section>
        </DemoShell>
      </TagInvalidationProvider>
    </QueryClientProvider>
  )
}
