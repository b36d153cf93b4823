// Not in the guide: a router of its routes, and a page that uses its hook.
import { createRoute, createRouter, RouterProvider } from '@tanstack/react-router'
import { createRoot } from 'react-dom/client'
import { Route as rootRoute } from './routes/__root'
import { useTodos } from './routes/index'

const indexRoute = createRoute({ getParentRoute: () => rootRoute, path: '/', component: Todos })

function Todos() {
  const todos = useTodos()
  return (
    <ul>
      {todos.data?.map((todo) => (
        <li key={todo.title}>{todo.title}</li>
      ))}
    </ul>
  )
}

const router = createRouter({ routeTree: rootRoute.addChildren([indexRoute]) })

createRoot(document.getElementById('root')!).render(<RouterProvider router={router} />)
