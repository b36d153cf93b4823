/** The quickstart's `db`, which it does not show. */
const todos: { name: string }[] = [{ name: 'Water the plants' }]

export const db = {
  listTodos: async () => [...todos],
  insertTodo: async (todo: { name: string }) => void todos.push(todo),
}
