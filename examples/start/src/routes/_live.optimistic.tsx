import { Card } from '@query-tags/example-spa/components/card.tsx'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { Hint } from '#/components/hint'
import { TodoList } from '#/components/todo-list'
import { toggleTodoMutation } from '#/lib/mutations'
import { todosQuery, useTodos } from '#/lib/queries'

export const Route = createFileRoute('/_live/optimistic')({
  loader: ({ context: { queryClient } }) => queryClient.ensureQueryData(todosQuery),
  component: Optimistic,
})

function Optimistic() {
  const todos = useTodos()
  const toggle = useMutation(toggleTodoMutation(useQueryClient()))
  return (
    <>
      <Hint title="Optimistic update">
        <p>
          A tick shows at once, and the server takes 1.5 s for it.{' '}
          <b>Tick one here and add a todo in another window meanwhile</b>: the tick does not flicker, because the
          refetch waits until it is saved.
        </p>
      </Hint>
      <Card title="Todos" query={todos}>
        <TodoList todos={todos.data} onToggle={(id) => toggle.mutate(id)} />
        <p className="empty">{toggle.isPending ? 'Saving' : 'Saved'}</p>
      </Card>
    </>
  )
}
