import { AddForm } from '@query-tags/example-spa/components/add-form.tsx'
import { Card } from '@query-tags/example-spa/components/card.tsx'
import { useMutation, useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { Hint } from '#/components/hint'
import { NoteList } from '#/components/note-list'
import { TodoList } from '#/components/todo-list'
import { addTodoMutation } from '#/lib/mutations'
import { notesQuery, todosQuery, useTodos } from '#/lib/queries'
import { toggleTodoServerFn } from '#/lib/server-functions'

export const Route = createFileRoute('/_live/basic')({
  loader: ({ context: { queryClient } }) =>
    Promise.all([queryClient.ensureQueryData(todosQuery), queryClient.ensureQueryData(notesQuery)]),
  component: Basic,
})

function Basic() {
  const todos = useTodos()
  const notes = useQuery(notesQuery)
  const addTodo = useMutation(addTodoMutation)
  return (
    <>
      <Hint title="Basic tags">
        <p>
          The server rendered both lists, so this page fetched nothing. <b>Add or tick a todo</b>, here or in another
          window: <code>todos</code> is fetched once in each, and <code>notes</code> not at all.
        </p>
      </Hint>
      <Card title="Todos" query={todos}>
        <TodoList todos={todos.data} onToggle={(id) => void toggleTodoServerFn({ data: { id } })} />
        <AddForm label="New todo" placeholder="Add a todo" mutation={addTodo} />
      </Card>
      <Card title="Notes" query={notes}>
        <NoteList label="Notes" notes={notes.data} />
      </Card>
    </>
  )
}
