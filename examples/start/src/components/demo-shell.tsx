import { ActivityPanel } from '@query-tags/example-spa/activity/activity-panel.tsx'
import { QueryTable } from '@query-tags/example-spa/activity/query-table.tsx'
import { ConnectionPill } from '@query-tags/example-spa/components/connection-pill.tsx'
import { Link } from '@tanstack/react-router'

const demos = [
  ['/basic', 'Basic tags'],
  ['/groups', 'Groups'],
  ['/scopes', 'Scopes'],
  ['/loaders', 'Loaders'],
  ['/streaming', 'SSR and streaming'],
  ['/infinite', 'Infinite list'],
  ['/optimistic', 'Optimistic update'],
  ['/persisted', 'Persisted cache'],
] as const

/** What every demo has around it: the way to the others, the connection, and what happens. */
export function DemoShell({
  children,
  queries = <QueryTable />,
}: {
  children: React.ReactNode
  queries?: React.ReactNode
}) {
  return (
    <div className="app">
      <header className="app-header">
        <Link to="/" className="brand" reloadDocument>
          query-tags
        </Link>
        <nav className="demos" aria-label="Demos">
          {demos.map(([to, name]) => (
            <Link key={to} to={to} reloadDocument={to === '/persisted'}>
              {name}
            </Link>
          ))}
        </nav>
        <ConnectionPill />
      </header>
      <main className="app-main">{children}</main>
      <aside className="app-aside" aria-label="What happens">
        {queries}
        <ActivityPanel />
      </aside>
    </div>
  )
}
