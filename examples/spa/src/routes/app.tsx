import { TagInvalidationProvider } from '@query-tags/react'
import { createRoute, Link, Outlet, useRouter } from '@tanstack/react-router'
import { activityLog } from '../activity/activity-log.ts'
import { ActivityPanel } from '../activity/activity-panel.tsx'
import { QueryTable } from '../activity/query-table.tsx'
import { ConnectionPill } from '../components/connection-pill.tsx'
import { Notes } from '../components/notes.tsx'
import { invalidatorClient } from '../lib/invalidator-client.ts'
import { queryClient } from '../lib/query-client.ts'
import { rootRoute } from './root.tsx'

export const appRoute = createRoute({ getParentRoute: () => rootRoute, id: 'app', component: App })

function App() {
  const router = useRouter()
  return (
    <TagInvalidationProvider
      client={invalidatorClient}
      queryClient={queryClient}
      router={router}
      onInvalidation={activityLog.add}
    >
      <div className="app">
        <header className="app-header">
          <Link to="/todos" className="brand">
            Todos &amp; notes
          </Link>
          <ConnectionPill />
        </header>
        <main className="app-main">
          <Outlet />
          <Notes />
        </main>
        <aside className="app-aside" aria-label="What happens">
          <QueryTable />
          <ActivityPanel />
        </aside>
      </div>
    </TagInvalidationProvider>
  )
}
