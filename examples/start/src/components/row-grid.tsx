import { QueryMonitor } from '@query-tags/example-spa/activity/query-monitor.ts'
import { useFlash } from '@query-tags/example-spa/components/use-flash.ts'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useSyncExternalStore } from 'react'
import { rowQuery } from '#/lib/queries'

export function RowGrid({ count }: { count: number }) {
  return (
    <ol className="grid" aria-label="Rows">
      {Array.from({ length: count }, (_, index) => (
        <Cell key={index} index={index} />
      ))}
    </ol>
  )
}

function Cell({ index }: { index: number }) {
  const { data } = useQuery(rowQuery(index))
  const cell = useFlash<HTMLLIElement>(data)
  return (
    <li ref={cell} title={`Row ${index}`}>
      {data ?? '·'}
    </li>
  )
}

/** 200 queries are too many for a table. */
export function FetchCount() {
  const cache = useQueryClient().getQueryCache()
  const monitor = useMemo(() => new QueryMonitor(cache), [cache])
  const rows = useSyncExternalStore(monitor.subscribe, monitor.rows, monitor.rows)
  const fetches = rows.reduce((sum, row) => sum + row.fetches, 0)
  const busy = rows.some((row) => row.state === 'fetching')
  return (
    <section className="card" aria-label="Queries" aria-busy={busy}>
      <h2>Queries</h2>
      <p>
        <b aria-label="Fetches">{fetches}</b> fetches for {rows.length} queries since this page was opened
      </p>
    </section>
  )
}
