// An app whose Register.queryMeta knows tags. A program of its own: Register has one slot.
import { defineTags, withTags, type QueryTagsMeta } from '@query-tags/core'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { holds, type Equal } from './equal.ts'

declare module '@tanstack/react-query' {
  interface Register {
    queryMeta: QueryTagsMeta & { auth?: boolean }
  }
}

const appTags = defineTags({ todos: { list: () => ['todos'], byId: (id: string) => ['todo', id] } })
declare const fetchNames: (signal?: AbortSignal) => Promise<string[]>
const queryKey = ['todos']
const queryFn = () => fetchNames()

export function accepted() {
  useQuery({ queryKey, queryFn, meta: { tags: [appTags.todos.list(), appTags.todos(), ['todos']], auth: true } })
  const inline = useQuery(withTags({ queryKey: ['t'], queryFn: ({ signal }) => fetchNames(signal) }, [appTags.todos]))
  holds<Equal<typeof inline.data, string[] | undefined>>()
  const options = useQuery(withTags(queryOptions({ queryKey, queryFn, meta: { auth: true } }), [appTags.todos.byId]))
  holds<Equal<typeof options.data, string[] | undefined>>()
  useQuery(queryOptions(withTags({ queryKey, queryFn, meta: { auth: true } }, [appTags.todos.list()])))
}

export function refused() {
  // @ts-expect-error an uncalled factory in meta is not plain
  useQuery({ queryKey, queryFn, meta: { tags: [appTags.todos.byId] } })
  // @ts-expect-error an uncalled branch in meta is not plain
  useQuery({ queryKey, queryFn, meta: { tags: [appTags.todos] } })
  // @ts-expect-error no such tag
  useQuery({ queryKey, queryFn, meta: { tags: [appTags.todos.lst()] } })
  // @ts-expect-error a bare string is no tag
  useQuery({ queryKey, queryFn, meta: { tags: ['todos'] } })
  // @ts-expect-error the rest of meta is still checked
  useQuery({ queryKey, queryFn, meta: { auth: 'yes' } })
}
