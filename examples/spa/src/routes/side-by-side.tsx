import { createRoute, Link } from '@tanstack/react-router'
import { rootRoute } from './root.tsx'

export const sideBySideRoute = createRoute({ getParentRoute: () => rootRoute, path: '/', component: SideBySide })

/** The app twice. Each frame is a page of its own, with its own cache and its own connection. */
function SideBySide() {
  return (
    <div className="stage">
      <header className="stage-header">
        <h1>query-tags</h1>
        <p>
          Two windows of one app. <strong>Add, rename or delete a todo in one:</strong> the other refetches what
          changed, and nothing else.
        </p>
        <Link to="/todos" target="_blank" className="button">
          Open a third window
        </Link>
      </header>
      <div className="stage-windows">
        <Window name="Window 1" />
        <Window name="Window 2" />
      </div>
    </div>
  )
}

function Window({ name }: { name: string }) {
  return (
    <figure className="window">
      <figcaption>{name}</figcaption>
      {/* oxlint-disable-next-line react/iframe-missing-sandbox -- it shows this very app */}
      <iframe src="/todos" title={name} />
    </figure>
  )
}
