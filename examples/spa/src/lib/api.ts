import type { Note, Todo } from '@query-tags/example-shared/database'
import type { User } from '@query-tags/example-shared/users'

export const fetchTodos = async (signal: AbortSignal): Promise<Todo[]> =>
  (await request('/api/todos', { signal })).json()

/** `null` when there is no such todo, or no longer. */
export async function fetchTodo(id: string, signal: AbortSignal): Promise<Todo | null> {
  const response = await request(todoPath(id), { signal }, [404])
  return response.status === 404 ? null : response.json()
}

export const addTodo = async (title: string): Promise<Todo> => (await send('POST', '/api/todos', { title })).json()

export const updateTodo = async (id: string, change: { title?: string; done?: boolean }): Promise<Todo> =>
  (await send('PATCH', todoPath(id), change)).json()

/** Deleting what another window has deleted already is no error. */
export const deleteTodo = async (id: string): Promise<void> => {
  await request(todoPath(id), { method: 'DELETE' }, [404])
}

export const fetchNotes = async (signal: AbortSignal): Promise<Note[]> =>
  (await request('/api/notes', { signal })).json()

export const addNote = async (text: string): Promise<Note> => (await send('POST', '/api/notes', { text })).json()

export const fetchSession = async (signal: AbortSignal): Promise<{ user: User | null }> =>
  (await request('/api/session', { signal })).json()

export const signIn = async (user: string): Promise<void> => void (await send('POST', '/api/session', { user }))

export const signOut = async (): Promise<void> => void (await request('/api/session', { method: 'DELETE' }))

const todoPath = (id: string) => `/api/todos/${encodeURIComponent(id)}`

function send(method: string, path: string, body: unknown): Promise<Response> {
  return request(path, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
}

async function request(path: string, init: RequestInit, alsoFine: readonly number[] = []): Promise<Response> {
  const response = await fetch(path, init)
  if (response.ok || alsoFine.includes(response.status)) return response
  throw new Error(`${init.method ?? 'GET'} ${path} was answered with ${response.status}`)
}
