import type { PlainTag, TagInput } from '@query-tags/core'
import { withTags } from '@query-tags/core'
import type { InfiniteData, Query } from '@tanstack/query-core'
import { GLOBAL_ROWS, tags, type Database, type Versions } from './database.ts'
import type { Api } from './api.ts'
import type { Random } from './random.ts'

/** What every query holds: versions of rows, and whatever an optimistic update wrote over them. */
export interface Reading {
  readonly versions: Versions
  /** The row that a pointer was at. */
  readonly target?: string
  readonly guess?: string
}

const PAGES = [GLOBAL_ROWS.slice(0, 2), GLOBAL_ROWS.slice(2, 5), GLOBAL_ROWS.slice(5)]

/** The queries of the app, by the name in their key. What a query is tagged with is up to each component that uses it. */
export class Queries {
  readonly #database: Database
  readonly #api: Api
  readonly #random: Random

  constructor(database: Database, api: Api, random: Random) {
    this.#database = database
    this.#api = api
    this.#random = random
  }

  /** Those that somebody with these secrets may ask for. */
  namesFor(secrets: readonly string[]): readonly string[] {
    return [...this.#database.idsFor(secrets), 'list', 'list', 'everything', 'p0 at', 'p1 at', 'p2 at']
  }

  /** What the server would answer now. */
  read(name: string): Reading {
    if (name === 'list') return { versions: this.#database.read(GLOBAL_ROWS) }
    if (name === 'everything')
      return { versions: this.#database.read(this.#database.ids.filter((id) => /^[gp]/.test(id))) }
    if (!name.endsWith(' at')) return { versions: this.#database.read([name]) }
    const pointer = name.slice(0, 2)
    const at = this.#database.read([pointer])
    const target = this.#database.target(pointer, at)
    return { versions: { ...at, ...this.#database.read([target]) }, target }
  }

  /** @param held What the query holds: what it is about may depend on it. */
  tagsOf(name: string, held?: Reading): readonly TagInput[] {
    const { byId, all, pointers } = tags.rows
    if (name === 'list')
      return this.#random.pick([[all()], [['rows']], [tags.rows()], GLOBAL_ROWS.map((id) => byId(id))])
    if (name === 'everything') return [tags()]
    if (name.endsWith(' at')) {
      const pointer = pointers.byId(name.slice(0, 2))
      return held?.target ? [pointer, byId(held.target)] : [pointer]
    }
    const { tag } = this.#database.row(name)
    if (name.startsWith('g')) return this.#random.pick([[tag], [tag], [byId], [tags.rows()]])
    if (name.startsWith('x')) return this.#random.pick([[tag], [['zeile-ü', name]]])
    return [tag]
  }

  options(name: string, held?: Reading, isTagged = true) {
    const options = {
      queryKey: [name],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) => {
        // Reading the signal is what makes TanStack cancel the fetch of a query that nobody uses any more.
        const cancelled = this.#random.chance(0.3) ? signal : undefined
        return this.#read(() => this.read(name), cancelled)
      },
    }
    return isTagged ? withTags(options, this.tagsOf(name, held)) : { ...options, meta: {} }
  }

  pagedOptions() {
    return withTags(
      {
        queryKey: ['pages'],
        queryFn: ({ pageParam }: { readonly pageParam: number }) =>
          this.#read((): Reading => ({ versions: this.#database.read(PAGES[pageParam]!) })),
        initialPageParam: 0,
        getNextPageParam: (_: Reading, all: Reading[]) => (all.length < PAGES.length ? all.length : null),
      },
      [tags.rows.all()],
    )
  }

  #read(read: () => Reading, signal?: AbortSignal): Promise<Reading> {
    const reading = this.#api.call(read)
    if (!signal) return reading
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('simulated: aborted')))
    })
    return Promise.race([reading, aborted])
  }
}

/** Every tag that a query has now, from itself and from whoever uses it. */
export function heldTags(query: Query): readonly PlainTag[] {
  const options = [query.options, ...query.observers.map((observer) => observer.options)]
  return options.flatMap(({ meta }) => (meta?.['tags'] as readonly PlainTag[] | undefined) ?? [])
}

export function readingsOf(data: unknown): readonly Reading[] {
  return (data as InfiniteData<Reading>).pages ?? [data as Reading]
}
