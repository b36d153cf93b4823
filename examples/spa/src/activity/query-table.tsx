import { useQueryClient } from '@tanstack/react-query'
import { useMemo, useSyncExternalStore } from 'react'
import { useFlash } from '../components/use-flash.ts'
import { QueryMonitor, type QueryRow } from './query-monitor.ts'

const NO_ROWS: readonly QueryRow[] = []

/** The tagged queries of this page and how often each was fetched here. */
export function QueryTable() {
  const cache = useQueryClient().getQueryCache()
  const monitor = useMemo(() => new QueryMonitor(cache), [cache])
  const rows = useSyncExternalStore(monitor.subscribe, monitor.rows, () => NO_ROWS)
  return (
    <section className="card" aria-label="Queries">
      <table className="queries">
        <thead>
          <tr>
            <th scope="col">Query</th>
            <th scope="col">Tags</th>
            <th scope="col">Fetches</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.hash} row={row} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Row({ row }: { row: QueryRow }) {
  const count = useFlash<HTMLSpanElement>(row.fetches)
  return (
    <tr data-state={row.state} aria-label={row.name}>
      <th scope="row" title={row.state}>
        {row.name}
      </th>
      <td>
        {row.tags.map((tag) => (
          <code key={tag}>{tag}</code>
        ))}
      </td>
      <td className="count">
        <span ref={count}>{row.fetches}</span>
      </td>
    </tr>
  )
}
