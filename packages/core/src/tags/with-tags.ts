import type { PlainTag, TagInput } from './tag.ts'
import { toPlainTag } from './to-plain-tag.ts'

declare global {
  /** Filled in by `@query-tags/query-core`, so that this package needs no framework's types. Not for apps. */
  interface QueryTagsFrameworkTypes {}
}

type FrameworkClient = QueryTagsFrameworkTypes extends { readonly queryClient: infer TClient } ? TClient : unknown

/** What TanStack Query passes to a `queryFn`, said without its package. */
export interface QueryFnContext<TKey, TPageParam> {
  readonly client: FrameworkClient
  readonly queryKey: TKey
  readonly signal: AbortSignal
  readonly meta: Record<string, unknown> | undefined
  readonly pageParam?: TPageParam
}
export interface InfiniteQueryFnContext<TKey, TPageParam> extends QueryFnContext<TKey, TPageParam> {
  readonly pageParam: TPageParam
}
/** The part of a query that option callbacks read. */
export interface QueryView<TKey, TData> {
  readonly queryKey: TKey
  readonly state: {
    readonly data: TData | undefined
    readonly error: unknown
    readonly dataUpdatedAt: number
    readonly dataUpdateCount: number
    readonly status: 'pending' | 'error' | 'success'
  }
}

/** Methods compare bivariantly, so a callback that wants more of its argument than is said here is accepted too. */
type Callback<A extends readonly unknown[], R> = { call_(...args: A): R }['call_']
type Or<T, TKey, TData> = T | Callback<[query: QueryView<TKey, TData>], T> | undefined

interface Shape<TKey, TData, TProp extends string> {
  readonly queryKey: TKey
  readonly meta?: Record<string, unknown> | undefined
  readonly enabled?: Or<boolean, TKey, TData>
  readonly staleTime?: Or<number | 'static', TKey, TData>
  readonly refetchInterval?: Or<number | false | undefined, TKey, TData>
  readonly refetchOnMount?: Or<boolean | 'always', TKey, TData>
  readonly refetchOnWindowFocus?: Or<boolean | 'always', TKey, TData>
  readonly refetchOnReconnect?: Or<boolean | 'always', TKey, TData>
  readonly networkMode?: 'online' | 'always' | 'offlineFirst' | undefined
  readonly retry?: boolean | number | Callback<[failureCount: number, error: Error], boolean> | undefined
  readonly retryDelay?: number | Callback<[failureCount: number, error: Error], number> | undefined
  readonly notifyOnChangeProps?:
    | 'all'
    | readonly TProp[]
    | Callback<[], 'all' | readonly TProp[] | undefined>
    | undefined
  readonly structuralSharing?: boolean | Callback<[oldData: unknown, newData: unknown], unknown> | undefined
  readonly queryKeyHashFn?: Callback<[queryKey: TKey], string> | undefined
  readonly placeholderData?:
    | NoInfer<TData>
    | Callback<[previousData: TData | undefined, previousQuery: QueryView<TKey, TData> | undefined], unknown>
    | undefined
  readonly throwOnError?: boolean | Callback<[error: Error, query: QueryView<TKey, TData>], boolean> | undefined
}
interface QueryShape<TKey, TData, TSkip extends symbol, TProp extends string> extends Shape<TKey, TData, TProp> {
  readonly initialPageParam?: never
  readonly queryFn?: Callback<[context: QueryFnContext<TKey, unknown>], TData | Promise<TData>> | TSkip | undefined
  readonly select?: Callback<[data: TData], unknown> | undefined
}
interface Pages<TPage, TPageParam> {
  pages: TPage[]
  pageParams: TPageParam[]
}
type PageParamCallback<TPage, TPageParam> = Callback<
  [page: TPage, allPages: TPage[], pageParam: TPageParam, allPageParams: TPageParam[]],
  unknown
>
interface InfiniteQueryShape<TKey, TPage, TPageParam, TSkip extends symbol, TProp extends string> extends Shape<
  TKey,
  Pages<TPage, TPageParam>,
  TProp
> {
  readonly initialPageParam: TPageParam
  readonly queryFn?:
    | Callback<[context: InfiniteQueryFnContext<TKey, TPageParam>], TPage | Promise<TPage>>
    | TSkip
    | undefined
  readonly getNextPageParam: PageParamCallback<TPage, TPageParam>
  readonly getPreviousPageParam?: PageParamCallback<TPage, TPageParam> | undefined
  readonly select?: Callback<[data: Pages<TPage, TPageParam>], unknown> | undefined
}

/**
 * The part of `meta` that query-tags reads. A type alias on purpose: an app that types `Register.queryMeta` writes
 * `queryMeta: QueryTagsMeta & { … }`, and an interface there would silently fall back to `Record<string, unknown>`.
 */
export type QueryTagsMeta = { tags?: readonly PlainTag[] }

/** Options that carry tags. Everything that was inferred about them is kept. */
export type Tagged<T> = T & { meta: { tags: readonly PlainTag[] } }

/**
 * Adds tags to the options of a query, next to tags that are there already. A query is refetched when an invalidation overlaps any of them.
 *
 * Write it around `queryOptions({ … })` for the best errors; it also takes plain options. Uncalled factories are stored in their plain form,
 * since `meta` is dehydrated and persisted.
 *
 * @throws {QueryTagsError} `invalid-tag`
 *
 * @example
 * ```ts
 * const todosQuery = withTags({ queryKey: ['todos'], queryFn: () => fetchTodos() }, [appTags.todos.list()])
 * ```
 */
export function withTags<
  const TKey extends readonly unknown[],
  TPage,
  TPageParam,
  TSkip extends symbol,
  TProp extends string,
  T extends object,
>(options: T & InfiniteQueryShape<TKey, TPage, TPageParam, TSkip, TProp>, tags: readonly TagInput[]): Tagged<NoInfer<T>>
export function withTags<
  const TKey extends readonly unknown[],
  TData,
  TSkip extends symbol,
  TProp extends string,
  T extends object,
>(options: T & QueryShape<TKey, TData, TSkip, TProp>, tags: readonly TagInput[]): Tagged<NoInfer<T>>
export function withTags(
  options: { meta?: { tags?: readonly PlainTag[] } | undefined },
  tags: readonly TagInput[],
): object {
  const all: readonly TagInput[] = [...(options.meta?.tags ?? []), ...tags]
  return { ...options, meta: { ...options.meta, tags: all.map(toPlainTag) } }
}
