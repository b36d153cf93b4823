/** What a page shows, and what to try on it. */
export function Hint({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <section className="hint">
      <h1>{title}</h1>
      {children}
    </section>
  )
}
