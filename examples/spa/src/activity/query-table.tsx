import { useSyncExternalStore } from 'react'
import { queryClient } from '../lib/query-client.ts'
import { useFlash } from '../components/use-flash.ts'
import { QueryMonitor, type QueryRow } from './query-monitor.ts'

const monitor = new QueryMonitor(queryClient.getQueryCache())

/** The tagged queries of this page and how often each was fetched. */
export function QueryTable() {
  const rows = useSyncExternalStore(monitor.subscribe, monitor.rows)
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
