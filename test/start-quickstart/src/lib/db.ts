interface Todo {
  readonly name: string
}

/** The quickstart's table and database, in the shape that it calls them in. */
export const todos: Todo[] = [{ name: 'Follow the quickstart' }]

export const db = {
  insert: <Row>(table: Row[]) => ({
    async values(row: Row): Promise<void> {
      table.push(row)
    },
  }),
  select: () => ({
    async from<Row>(table: readonly Row[]): Promise<Row[]> {
      return [...table]
    },
  }),
}
