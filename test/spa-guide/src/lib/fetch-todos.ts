/** The guide's `fetchTodos`, which it does not show. */
export async function fetchTodos(): Promise<{ title: string }[]> {
  const response = await fetch('/api/todos')
  return response.json()
}
