// withTags keeps everything that TanStack Query infers. Compiled by types-matrix.test.ts, never run.
import { withTags } from '@query-tags/core'
import {
  infiniteQueryOptions,
  queryOptions,
  skipToken,
  useInfiniteQuery,
  useQueries,
  useQuery,
  useSuspenseInfiniteQuery,
  useSuspenseQuery,
  type QueryClient,
} from '@tanstack/react-query'
import { holds, type Equal } from './equal.ts'
import { appTags } from './tags.ts'

interface Todo {
  id: string
  name: string
}
const tags = [appTags.todos.list()]
declare const fetchTodos: (signal?: AbortSignal) => Promise<Todo[]>
declare const client: QueryClient

export function inlineInUseQuery() {
  const plain = useQuery(withTags({ queryKey: ['todos'], queryFn: () => fetchTodos() }, tags))
  holds<Equal<typeof plain.data, Todo[] | undefined>>()

  const context = useQuery(
    withTags(
      {
        queryKey: ['todos', 1] as const,
        queryFn: ({ signal, queryKey }) => {
          holds<Equal<typeof signal, AbortSignal>>()
          const page: number = queryKey[1]
          return fetchTodos(page > 0 ? signal : undefined)
        },
      },
      tags,
    ),
  )
  holds<Equal<typeof context.data, Todo[] | undefined>>()

  const select = useQuery(
    withTags({ queryKey: ['todos'], queryFn: () => fetchTodos(), select: (todos) => todos.length }, tags),
  )
  holds<Equal<typeof select.data, number | undefined>>()

  const contextAndSelect = useQuery(
    withTags(
      {
        queryKey: ['todos'],
        queryFn: ({ signal }) => fetchTodos(signal),
        select: (todos) => todos.length,
        enabled: (query) => query.state.data === undefined,
        meta: { auth: true },
      },
      tags,
    ),
  )
  holds<Equal<typeof contextAndSelect.data, number | undefined>>()

  const frameworkClient = useQuery(
    withTags(
      {
        queryKey: ['todos'],
        queryFn: ({ client }) => {
          holds<Equal<typeof client, QueryClient>>()
          return fetchTodos()
        },
      },
      tags,
    ),
  )
  holds<Equal<typeof frameworkClient.data, Todo[] | undefined>>()

  const skippable = useQuery(
    withTags({ queryKey: ['t'], queryFn: Math.random() > 1 ? () => fetchTodos() : skipToken }, tags),
  )
  holds<Equal<typeof skippable.data, Todo[] | undefined>>()

  const initialData = useQuery(
    withTags({ queryKey: ['t'], queryFn: () => fetchTodos(), initialData: [] as Todo[] }, tags),
  )
  holds<Equal<typeof initialData.data, Todo[]>>()
}

const topLevel = withTags({ queryKey: ['todos'], queryFn: () => fetchTodos() }, tags)
const topLevelContext = withTags({ queryKey: ['todos'], queryFn: ({ signal }) => fetchTodos(signal) }, tags)
const topLevelLiterals = withTags(
  {
    queryKey: ['todos'],
    queryFn: () => fetchTodos(),
    refetchOnWindowFocus: 'always',
    networkMode: 'online',
    staleTime: 'static',
  },
  tags,
)
export const detail = (id: string) =>
  withTags(
    {
      queryKey: ['todo', id],
      queryFn: ({ signal, queryKey: [, todoId] }) =>
        fetchTodos(signal).then((todos) => todos.find((todo) => todo.id === todoId)!),
    },
    [appTags.todos.byId(id)],
  )
export async function topLevelConstants() {
  const query = useQuery(topLevel)
  holds<Equal<typeof query.data, Todo[] | undefined>>()
  const suspense = useSuspenseQuery(topLevel)
  holds<Equal<typeof suspense.data, Todo[]>>()
  const ensured = await client.ensureQueryData(topLevel)
  holds<Equal<typeof ensured, Todo[]>>()

  const context = useQuery(topLevelContext)
  holds<Equal<typeof context.data, Todo[] | undefined>>()
  const literals = useQuery(topLevelLiterals)
  holds<Equal<typeof literals.data, Todo[] | undefined>>()
  const one = useQuery(detail('x'))
  holds<Equal<typeof one.data, Todo | undefined>>()
}

const overOptions = withTags(
  queryOptions({ queryKey: ['todos'], queryFn: ({ signal }) => fetchTodos(signal), staleTime: Infinity }),
  tags,
)
const insideOptions = queryOptions(
  withTags({ queryKey: ['todos'], queryFn: ({ signal }) => fetchTodos(signal), select: (todos) => todos.length }, tags),
)
const twice = withTags(
  withTags(queryOptions({ queryKey: ['todos'], queryFn: ({ signal }) => fetchTodos(signal) }), tags),
  [appTags.todos],
)
export async function withQueryOptions() {
  const query = useQuery(overOptions)
  holds<Equal<typeof query.data, Todo[] | undefined>>()
  const suspense = useSuspenseQuery(overOptions)
  holds<Equal<typeof suspense.data, Todo[]>>()
  const ensured = await client.ensureQueryData(overOptions)
  holds<Equal<typeof ensured, Todo[]>>()
  const cached = client.getQueryData(overOptions.queryKey)
  holds<Equal<typeof cached, Todo[] | undefined>>()
  const spread = useQuery({ ...overOptions, select: (todos) => todos.length })
  holds<Equal<typeof spread.data, number | undefined>>()

  const inside = useQuery(insideOptions)
  holds<Equal<typeof inside.data, number | undefined>>()
  const insideCached = client.getQueryData(insideOptions.queryKey)
  holds<Equal<typeof insideCached, Todo[] | undefined>>()

  const twiceCached = client.getQueryData(twice.queryKey)
  holds<Equal<typeof twiceCached, Todo[] | undefined>>()
}

const infinite = withTags(
  infiniteQueryOptions({
    queryKey: ['inf'],
    queryFn: ({ pageParam, signal }) => {
      holds<Equal<typeof pageParam, number>>()
      return fetchTodos(signal)
    },
    initialPageParam: 0,
    getNextPageParam: (lastPage, _all, lastPageParam) => {
      holds<Equal<typeof lastPage, Todo[]>>()
      return lastPageParam + 1
    },
  }),
  tags,
)
const infiniteTopLevel = withTags(
  {
    queryKey: ['inf'],
    queryFn: ({ pageParam, signal }) => {
      holds<Equal<typeof pageParam, number>>()
      return fetchTodos(signal)
    },
    initialPageParam: 0,
    getNextPageParam: (lastPage, _all, lastPageParam) => {
      holds<Equal<typeof lastPage, Todo[]>>()
      return lastPageParam + 1
    },
  },
  tags,
)
export function infiniteQueries() {
  const overInfiniteOptions = useInfiniteQuery(infinite)
  holds<Equal<NonNullable<typeof overInfiniteOptions.data>['pages'], Todo[][]>>()
  const suspense = useSuspenseInfiniteQuery(infinite)
  holds<Equal<typeof suspense.data.pages, Todo[][]>>()
  const constant = useInfiniteQuery(infiniteTopLevel)
  holds<Equal<NonNullable<typeof constant.data>['pages'], Todo[][]>>()

  const inline = useInfiniteQuery(
    withTags(
      {
        queryKey: ['inf'],
        queryFn: ({ pageParam, signal }) => {
          holds<Equal<typeof pageParam, number>>()
          return fetchTodos(signal)
        },
        initialPageParam: 0,
        getNextPageParam: (lastPage, _all, lastPageParam) => {
          holds<Equal<typeof lastPage, Todo[]>>()
          return lastPageParam + 1
        },
      },
      tags,
    ),
  )
  holds<Equal<NonNullable<typeof inline.data>['pages'], Todo[][]>>()

  const cursors = useSuspenseInfiniteQuery(
    withTags(
      {
        queryKey: ['inf'],
        queryFn: ({ pageParam, signal }) => fetchTodos(pageParam === null ? undefined : signal),
        initialPageParam: null as string | null,
        getNextPageParam: (lastPage) => lastPage[0]?.id,
        select: (data) => data.pages.flat(),
        maxPages: 3,
      },
      tags,
    ),
  )
  holds<Equal<typeof cursors.data, Todo[]>>()
}

export function manyQueries() {
  const [overQueryOptions] = useQueries({
    queries: [withTags(queryOptions({ queryKey: ['todos'], queryFn: ({ signal }) => fetchTodos(signal) }), tags)],
  })
  holds<Equal<typeof overQueryOptions.data, Todo[] | undefined>>()

  const [inline] = useQueries({
    queries: [withTags({ queryKey: ['todos'], queryFn: ({ signal }) => fetchTodos(signal) }, tags)],
  })
  holds<Equal<typeof inline.data, Todo[] | undefined>>()
}

export async function inlineElsewhere() {
  const ensured = await client.ensureQueryData(
    withTags({ queryKey: ['t'], queryFn: ({ signal }) => fetchTodos(signal) }, tags),
  )
  holds<Equal<typeof ensured, Todo[]>>()
  const suspense = useSuspenseQuery(
    withTags({ queryKey: ['t'], queryFn: ({ signal }) => fetchTodos(signal), select: (todos) => todos[0] }, tags),
  )
  holds<Equal<typeof suspense.data, Todo | undefined>>()
}

export function everyOtherOption() {
  const flags = useQuery(
    withTags(
      {
        queryKey: ['todos', { a: 1 }],
        queryFn: () => fetchTodos(),
        enabled: false,
        staleTime: Infinity,
        refetchOnWindowFocus: 'always',
        throwOnError: (error) => error.message === '',
        retry: (failureCount) => failureCount < 3,
        networkMode: 'online',
      },
      tags,
    ),
  )
  holds<Equal<typeof flags.data, Todo[] | undefined>>()

  const callbacks = useQuery(
    withTags(
      {
        queryKey: ['a'],
        queryFn: async () => [1],
        placeholderData: (previous) => previous,
        notifyOnChangeProps: ['data', 'error'],
        structuralSharing: (_before, after) => after,
        queryKeyHashFn: (queryKey) => queryKey[0],
      },
      [['t']],
    ),
  )
  holds<Equal<typeof callbacks.data, number[] | undefined>>()

  const placeholder = useQuery(
    withTags(
      {
        queryKey: ['a'],
        queryFn: async ({ signal }) => [signal ? 1 : 0],
        placeholderData: [],
        notifyOnChangeProps: 'all',
      },
      [['t']],
    ),
  )
  holds<Equal<typeof placeholder.data, number[] | undefined>>()

  // A misspelt option is not caught here; queryOptions catches it, so the docs show withTags(queryOptions({ … }), tags).
  useQuery(withTags({ queryKey: ['todos'], queryFn: () => fetchTodos(), staleTme: 3 }, tags))
}

export function refusals() {
  // @ts-expect-error no such tag
  withTags({ queryKey: ['todos'], queryFn: () => fetchTodos() }, [appTags.todos.bydId('1')])
  // @ts-expect-error a bare string is no tag
  withTags({ queryKey: ['todos'], queryFn: () => fetchTodos() }, ['todos'])
  // @ts-expect-error options need a query key
  withTags({ queryFn: () => fetchTodos() }, tags)
}
