import type { Todo } from './database.ts'

/** A field of a JSON body that must be text, with something in it. */
export function readText(body: unknown, name: string): string | undefined {
  const value = readField(body, name)
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}

/** The fields of a todo that a JSON body changes. */
export function readTodoChange(body: unknown): Partial<Pick<Todo, 'title' | 'done'>> {
  const title = readText(body, 'title')
  const done = readField(body, 'done')
  return { ...(title !== undefined && { title }), ...(typeof done === 'boolean' && { done }) }
}

function readField(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined
}
