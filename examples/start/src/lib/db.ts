import { USERS } from '@query-tags/example-shared/users'
import { keep } from './keep'

export interface Todo {
  readonly id: string
  readonly name: string
  readonly done: boolean
}

interface Post {
  readonly id: number
  readonly text: string
}

export interface Page {
  readonly posts: readonly Post[]
  readonly next: number | null
}

const PAGE_SIZE = 5
const POST_COUNT = 18
const ROW_COUNT = 200

interface Tables {
  readonly todos: Map<string, Todo>
  readonly notes: string[]
  readonly privateNotes: Map<string, string[]>
  readonly posts: Post[]
  readonly rows: number[]
}

const { todos, notes, privateNotes, posts, rows } = keep('tables', firstTables)

/** Stands in for a database: it lives in memory, so a restarted server has the first rows again. */
export const db = {
  async listTodos(): Promise<Todo[]> {
    return [...todos.values()]
  },
  async findTodo(id: string): Promise<Todo | null> {
    return todos.get(id) ?? null
  },
  async summarizeTodos(): Promise<{ done: number; total: number }> {
    const all = [...todos.values()]
    return { done: all.filter((todo) => todo.done).length, total: all.length }
  },
  async insertTodo({ name }: { name: string }): Promise<void> {
    const id = String(todos.size + 1)
    todos.set(id, { id, name, done: false })
  },
  async toggleTodo(id: string): Promise<void> {
    const todo = todos.get(id)
    if (todo) todos.set(id, { ...todo, done: !todo.done })
  },
  async listNotes(): Promise<string[]> {
    return [...notes]
  },
  async insertNote(text: string): Promise<void> {
    notes.push(text)
  },
  async listPrivateNotes(owner: string): Promise<string[]> {
    return [...(privateNotes.get(owner) ?? [])]
  },
  async insertPrivateNote(owner: string, text: string): Promise<void> {
    privateNotes.get(owner)?.push(text)
  },
  /** Newest first, so that a new post moves everything on every page. */
  async listPosts(before: number): Promise<Page> {
    const older = posts.filter(({ id }) => id < before).reverse()
    const page = older.slice(0, PAGE_SIZE)
    return { posts: page, next: older.length > page.length ? page.at(-1)!.id : null }
  },
  async insertPost(text: string): Promise<void> {
    posts.push({ id: posts.length + 1, text })
  },
  async readRow(index: number): Promise<number> {
    return rows[index] ?? 0
  },
  /** Adds one to some rows. */
  async changeRows(count: number): Promise<number[]> {
    const changed = new Set<number>()
    while (changed.size < count) changed.add(Math.floor(Math.random() * ROW_COUNT))
    for (const index of changed) rows[index]! += 1
    return [...changed]
  },
}

function firstTables(): Tables {
  const names = ['Water the plants', 'Call the bike shop', 'Book the train to Ghent']
  return {
    todos: new Map(names.map((name, index) => [`${index + 1}`, { id: `${index + 1}`, name, done: false }])),
    notes: ['Notes have a tag of their own: changing a todo never refetches them.'],
    privateNotes: new Map(
      USERS.map(({ id, name }) => [id, [`Only ${name} sees this, and only ${name} hears when it changes.`]]),
    ),
    posts: Array.from({ length: POST_COUNT }, (_, index) => ({ id: index + 1, text: `Post number ${index + 1}` })),
    rows: Array.from({ length: ROW_COUNT }, () => 0),
  }
}
