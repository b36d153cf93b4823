// An app whose Register.queryMeta is open: any other property, tags too, is unknown. A program of its own: Register has one slot.
import { defineTags, withTags } from '@query-tags/core'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { holds, type Equal } from './equal.ts'

declare module '@tanstack/react-query' {
  interface Register {
    queryMeta: Record<string, unknown> & { auth?: boolean }
  }
}

const appTags = defineTags({ todos: { list: () => ['todos'], byId: (id: string) => ['todo', id] } })
declare const fetchNames: (signal?: AbortSignal) => Promise<string[]>
const queryKey = ['todos']
const queryFn = () => fetchNames()

export function accepted() {
  const inline = useQuery(withTags({ queryKey: ['t'], queryFn: ({ signal }) => fetchNames(signal) }, [appTags.todos]))
  holds<Equal<typeof inline.data, string[] | undefined>>()
  const options = useQuery(withTags(queryOptions({ queryKey, queryFn, meta: { auth: true } }), [appTags.todos.byId]))
  holds<Equal<typeof options.data, string[] | undefined>>()
}

export function refused() {
  // @ts-expect-error no such tag
  useQuery(withTags({ queryKey, queryFn }, [appTags.todos.lst()]))
}
