import { createFileRoute, Link } from '@tanstack/react-router'

export const Route = createFileRoute('/')({ component: TwoWindows })

/** The app twice. Each frame is a page of its own, with its own cache and its own connection. */
function TwoWindows() {
  return (
    <div className="stage">
      <header className="stage-header">
        <h1>query-tags</h1>
        <p>
          Two windows of one TanStack Start app. <strong>Add or tick a todo in one:</strong> the other refetches what
          changed, and nothing else. Every demo is in both.
        </p>
        <Link to="/basic" target="_blank" className="button">
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
      <iframe src="/basic" title={name} />
    </figure>
  )
}
