import { ActivityPanel } from '@query-tags/example-spa/activity/activity-panel.tsx'
import { QueryTable } from '@query-tags/example-spa/activity/query-table.tsx'
import { ConnectionPill } from '@query-tags/example-spa/components/connection-pill.tsx'
import { Link } from '@tanstack/react-router'

const demos = [
  ['/basic', 'Basic'],
  ['/groups', 'Groups'],
  ['/scopes', 'Scopes'],
  ['/loaders', 'Loaders'],
  ['/streaming', 'Streaming'],
  ['/infinite', 'Infinite'],
  ['/optimistic', 'Optimistic'],
  ['/persisted', 'Persisted'],
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
        <span className="brand">query-tags</span>
        <nav className="demos" aria-label="Demos">
          {/* From inside of one of them, too. */}
          <Link to="/" target="_top" reloadDocument>
            Two windows
          </Link>
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
