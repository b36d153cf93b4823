import { useSyncExternalStore } from 'react'
import { type Activity, activityLog } from './activity-log.ts'

/** What was invalidated, who said so, and what it made this page do. */
export function ActivityPanel() {
  const entries = useSyncExternalStore(activityLog.subscribe, activityLog.entries, activityLog.entries)
  return (
    <section className="card log" aria-label="Invalidations">
      <h2>Invalidations</h2>
      {entries.length === 0 && <p className="empty">None yet. Change something here or in another window.</p>}
      <ol className="log-entries" aria-live="polite">
        {entries.map((entry) => (
          <Entry key={entry.id} entry={entry} />
        ))}
      </ol>
    </section>
  )
}

function Entry({ entry }: { entry: Activity }) {
  const refetched = entry.queries.filter((query) => query.shown)
  const marked = entry.queries.filter((query) => !query.shown)
  return (
    <li className="entry" data-source={mainSource(entry)}>
      <p className="entry-head">
        <span className="source">{headingOf(entry)}</span>
        <time dateTime={entry.time.toISOString()}>{entry.time.toLocaleTimeString()}</time>
      </p>
      {entry.tags.length === 0 ? (
        <p>{everythingText(entry.reason)}</p>
      ) : (
        <p className="tags">
          {entry.tags.map((tag) => (
            <code key={tag}>{tag}</code>
          ))}
        </p>
      )}
      <p className="outcome">
        {entry.queries.length === 0 && 'No query on this page has these tags.'}
        {refetched.length > 0 && <>Refetched {list(refetched)}. </>}
        {marked.length > 0 && <>{capitalized(list(marked))} will refetch when shown.</>}
      </p>
    </li>
  )
}

/** Its own change is this page's first, even when the server spoke of it before the mutation had its answer. */
function mainSource({ sources }: Activity): Activity['sources'][number] | undefined {
  return sources.find((source) => source === 'local' || source === 'receipt') ?? sources[0]
}

function headingOf(entry: Activity): string {
  switch (mainSource(entry)) {
    case 'local':
    case 'receipt':
      return 'Changed here'
    case 'missed':
      return 'Caught up'
    case 'reset':
      return 'Started over'
    default:
      return entry.onlyTo === undefined ? 'From the server' : `From the server to ${entry.onlyTo}`
  }
}

/** Why every tag counts as changed, for someone who never read the protocol. */
function everythingText(reason: string | undefined): string {
  switch (reason) {
    case 'epoch':
      return 'The server restarted and its memory is gone, so everything counts as changed.'
    case 'expired':
      return 'The server cannot say what changed before it started, so everything counts as changed.'
    default:
      return `What changed meanwhile is not known${reason === undefined ? '' : ` (${reason})`}, so everything counts as changed.`
  }
}

function list(queries: Activity['queries']): string {
  return queries.map((query) => query.name).join(', ')
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
