import { useQuery } from '@tanstack/react-query'
import { createRoute, Link } from '@tanstack/react-router'
import { Card } from '../components/card.tsx'
import { TodoRow } from '../components/todo-row.tsx'
import { todoQuery } from '../lib/queries.ts'
import { appRoute } from './app.tsx'

export const todoRoute = createRoute({ getParentRoute: () => appRoute, path: '/todos/$id', component: TodoDetail })

function TodoDetail() {
  const { id } = todoRoute.useParams()
  const todo = useQuery(todoQuery(id))
  return (
    <Card title={`Todo ${id}`} query={todo}>
      {todo.data === null && <p className="empty">This todo was deleted.</p>}
      {todo.data && (
        <ul className="rows" aria-label={`Todo ${id}`}>
          <TodoRow key={id} todo={todo.data} />
        </ul>
      )}
      <Link to="/todos" className="back">
        All todos
      </Link>
    </Card>
  )
}
