import { Card } from '@query-tags/example-spa/components/card.tsx'
import { useFlash } from '@query-tags/example-spa/components/use-flash.ts'
import { useSuspenseQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { Suspense } from 'react'
import { Hint } from '#/components/hint'
import { TodoList } from '#/components/todo-list'
import { slowSummaryQuery, todosQuery, useTodos } from '#/lib/queries'
import { toggleTodoServerFn } from '#/lib/server-functions'

export const Route = createFileRoute('/_live/streaming')({
  loader: async ({ context: { queryClient } }) => {
    // Not awaited: the page is sent without it, and the summary follows when it is there.
    void queryClient.prefetchQuery(slowSummaryQuery)
    await queryClient.ensureQueryData(todosQuery)
  },
  component: Streaming,
})

function Streaming() {
  const todos = useTodos()
  return (
    <>
      <Hint title="SSR and streaming">
        <p>
          The server sends the list at once and the summary 1.5 s later; it took its cursor before it read either.{' '}
          <b>Reload, and tick a todo in another window while this one still waits</b>: the summary that comes is out of
          date by then, and is fetched once more. Without a change nothing is fetched.
        </p>
      </Hint>
      <Card title="Todos" query={todos}>
        <TodoList todos={todos.data} onToggle={(id) => void toggleTodoServerFn({ data: { id } })} />
      </Card>
      <Suspense fallback={<p className="empty">The summary is on its way</p>}>
        <Summary />
      </Suspense>
    </>
  )
}

function Summary() {
  const summary = useSuspenseQuery(slowSummaryQuery)
  const { done, total } = summary.data
  const text = `${done} of ${total} done`
  const paragraph = useFlash<HTMLParagraphElement>(text)
  return (
    <Card title="Summary" query={{ ...summary, isPending: false }}>
      <p ref={paragraph}>{text}</p>
    </Card>
  )
}
