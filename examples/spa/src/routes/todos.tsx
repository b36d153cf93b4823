import { useMutation, useQuery } from '@tanstack/react-query'
import { createRoute } from '@tanstack/react-router'
import { AddForm } from '../components/add-form.tsx'
import { Card } from '../components/card.tsx'
import { TodoRow } from '../components/todo-row.tsx'
import { useWasShown } from '../components/use-flash.ts'
import { addTodoMutation } from '../lib/mutations.ts'
import { todosQuery } from '../lib/queries.ts'
import { appRoute } from './app.tsx'

export const todosRoute = createRoute({ getParentRoute: () => appRoute, path: '/todos', component: Todos })

function Todos() {
  const todos = useQuery(todosQuery)
  const isArrival = useWasShown(todos.isSuccess)
  const addTodo = useMutation(addTodoMutation)
  return (
    <Card title="Todos" query={todos}>
      <ul className="rows" aria-label="Todos">
        {todos.data?.map((todo) => (
          <TodoRow key={todo.id} todo={todo} isArrival={isArrival} />
        ))}
      </ul>
      <AddForm label="New todo" placeholder="Add a todo" mutation={addTodo} />
    </Card>
  )
}
