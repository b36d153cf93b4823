import { createFileRoute } from '@tanstack/react-router'
import { useTodos, todosQuery } from '#/lib/queries'
import { addTodoServerFn } from '#/lib/server-functions'

export const Route = createFileRoute('/')({
  loader: ({ context }) => context.queryClient.ensureQueryData(todosQuery),
  component: Todos,
})

function Todos() {
  const todos = useTodos()
  return (
    <main>
      <ul>
        {todos.data?.map((todo) => (
          <li key={todo.name}>{todo.name}</li>
        ))}
      </ul>
      <button onClick={() => void addTodoServerFn({ data: { name: `Todo ${Date.now()}` } })}>Add</button>
    </main>
  )
}
