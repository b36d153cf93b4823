import { userScope } from '@query-tags/example-shared/users'
import { TagInvalidationProvider } from '@query-tags/react'
import { useQuery } from '@tanstack/react-query'
import { createRoute, Link, Outlet, useRouter } from '@tanstack/react-router'
import { activityLog } from '../activity/activity-log.ts'
import { ActivityPanel } from '../activity/activity-panel.tsx'
import { QueryTable } from '../activity/query-table.tsx'
import { ConnectionPill } from '../components/connection-pill.tsx'
import { Notes } from '../components/notes.tsx'
import { UserSwitch } from '../components/user-switch.tsx'
import { invalidatorClient } from '../lib/invalidator-client.ts'
import { queryClient } from '../lib/query-client.ts'
import { sessionQuery } from '../lib/session.ts'
import { rootRoute } from './root.tsx'

export const appRoute = createRoute({ getParentRoute: () => rootRoute, id: 'app', component: App })

function App() {
  const router = useRouter()
  const session = useQuery(sessionQuery)
  if (!session.data) return <div className="app" />
  const { user } = session.data
  return (
    <TagInvalidationProvider
      client={invalidatorClient}
      queryClient={queryClient}
      router={router}
      scope={user ? userScope(user) : undefined}
      onInvalidation={activityLog.add}
    >
      <div className="app">
        <header className="app-header">
          <Link to="/todos" className="brand">
            Todos &amp; notes
          </Link>
          <UserSwitch />
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
