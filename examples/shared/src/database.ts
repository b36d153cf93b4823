import { USERS } from './users.ts'

export interface Todo {
  readonly id: string
  readonly title: string
  readonly done: boolean
}

export interface Note {
  readonly id: string
  readonly text: string
}

/** Stands in for a database: it lives in memory, so a restarted server has the first rows again and nothing else. */
export interface Database {
  listTodos(): readonly Todo[]
  findTodo(id: string): Todo | undefined
  addTodo(title: string): Todo
  /** `undefined` when there is no such todo. */
  updateTodo(id: string, change: Partial<Omit<Todo, 'id'>>): Todo | undefined
  /** Whether there was one to delete. */
  deleteTodo(id: string): boolean
  /** The notes of a user; without one those that everybody shares. */
  listNotes(owner?: string): readonly Note[]
  addNote(text: string, owner?: string): Note
}

export function createDatabase(): Database {
  const todos = new Map<string, Todo>()
  const notes = new Map<string | undefined, Map<string, Note>>()
  const notesOf = (owner: string | undefined): Map<string, Note> => {
    const found = notes.get(owner) ?? new Map<string, Note>()
    notes.set(owner, found)
    return found
  }

  const database: Database = {
    listTodos: () => [...todos.values()],
    findTodo: (id) => todos.get(id),
    addTodo: (title) => put(todos, { id: nextId(todos), title, done: false }),
    updateTodo(id, change) {
      const todo = todos.get(id)
      return todo && put(todos, { ...todo, ...change })
    },
    deleteTodo: (id) => todos.delete(id),
    listNotes: (owner) => [...notesOf(owner).values()],
    addNote: (text, owner) => put(notesOf(owner), { id: nextId(notesOf(owner)), text }),
  }

  database.addTodo('Water the plants')
  database.addTodo('Call the bike shop')
  database.addTodo('Book the train to Ghent')
  database.addNote('Notes have a tag of their own: changing a todo never refetches them.')
  for (const { id, name } of USERS)
    database.addNote(`Only ${name} sees this, and only ${name} hears when it changes.`, id)
  return database
}

function put<T extends { readonly id: string }>(rows: Map<string, T>, row: T): T {
  rows.set(row.id, row)
  return row
}

/** One more than the greatest id there is. */
function nextId(rows: ReadonlyMap<string, unknown>): string {
  return String(Math.max(0, ...Array.from(rows.keys(), Number)) + 1)
}
