interface Todo {
  title: string
}

const todos: Todo[] = [{ title: 'Read the guide' }]

/** The guide's `db`, which it does not show. */
export const db = {
  async createTodo(todo: Todo): Promise<Todo> {
    todos.push(todo)
    return todo
  },
  async listTodos(): Promise<Todo[]> {
    return todos
  },
}
