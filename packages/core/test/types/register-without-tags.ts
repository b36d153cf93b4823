// An app whose Register.queryMeta says nothing about tags. A program of its own: Register has one slot.
import { defineTags, withTags } from '@query-tags/core'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { holds, type Equal } from './equal.ts'

declare module '@tanstack/react-query' {
  interface Register {
    queryMeta: { auth?: boolean }
  }
}

const appTags = defineTags({ todos: { list: () => ['todos'], byId: (id: string) => ['todo', id] } })
declare const fetchNames: (signal?: AbortSignal) => Promise<string[]>
const queryKey = ['todos']
const queryFn = () => fetchNames()

export function accepted() {
  // A meta of your own, next to which the tags stand.
  const inline = useQuery(
    withTags({ queryKey: ['t'], queryFn: ({ signal }) => fetchNames(signal), meta: { auth: true } }, [appTags.todos]),
  )
  holds<Equal<typeof inline.data, string[] | undefined>>()
  const options = useQuery(withTags(queryOptions({ queryKey, queryFn }), [appTags.todos.byId]))
  holds<Equal<typeof options.data, string[] | undefined>>()
}

export function refused() {
  // @ts-expect-error tags alone have no property in common with this queryMeta: it must be QueryTagsMeta & { … }
  useQuery(withTags({ queryKey, queryFn }, [appTags.todos]))
  // @ts-expect-error the same in meta itself
  useQuery({ queryKey, queryFn, meta: { tags: [appTags.todos.list()] } })
}
