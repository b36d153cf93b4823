import type { ReactNode } from 'react'

interface CardProps {
  title: string
  query: { isPending: boolean; isFetching: boolean; error: Error | null }
  children: ReactNode
}

/** A titled box around what one query shows, with how that query is doing. */
export function Card({ title, query, children }: CardProps) {
  return (
    <section className="card" aria-label={title} aria-busy={query.isFetching}>
      <h2>{title}</h2>
      {query.isPending && <p className="empty">Loading</p>}
      {query.error && <p className="problem">{query.error.message}</p>}
      {children}
    </section>
  )
}
