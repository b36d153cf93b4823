import { createDatabase } from '@query-tags/example-shared/database'
import { appTags } from '@query-tags/example-shared/tags'
import type { TagInvalidationSystem } from '@query-tags/server'

/** The app's own API in place of `fetch`: what the servers of the other examples do, as far as these tests need it. */
export function createMemoryAPI(system: TagInvalidationSystem) {
  const database = createDatabase()
  const requests: string[] = []

  const routes: Record<string, (body: string) => unknown> = {
    'GET /api/todos': () => database.listTodos(),
    'GET /api/notes': () => database.listNotes(),
    async 'POST /api/todos'(body) {
      const todo = database.addTodo((JSON.parse(body) as { title: string }).title)
      await system.invalidateTags({ tags: [appTags.todos.list()] })
      return todo
    },
  }

  return {
    /** Each as `GET /api/todos`, in order. */
    requests,
    fetch: async (path: string, { method = 'GET', body }: { method?: string; body?: string } = {}) => {
      const name = `${method} ${path}`
      requests.push(name)
      const route = routes[name]
      return route ? Response.json(await route(body ?? '')) : new Response(null, { status: 404 })
    },
  }
}
