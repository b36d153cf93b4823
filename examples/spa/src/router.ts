import { createRouter } from '@tanstack/react-router'
import { appRoute } from './routes/app.tsx'
import { rootRoute } from './routes/root.tsx'
import { sideBySideRoute } from './routes/side-by-side.tsx'
import { todoRoute } from './routes/todo.tsx'
import { todosRoute } from './routes/todos.tsx'

const routeTree = rootRoute.addChildren([sideBySideRoute, appRoute.addChildren([todosRoute, todoRoute])])

export const router = createRouter({ routeTree })

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
