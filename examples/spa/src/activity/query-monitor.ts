import { notifyManager, type Query, type QueryCache } from '@tanstack/react-query'
import type { PlainTag } from '@query-tags/core'
import { tagText } from './tag-text.ts'

export interface QueryRow {
  readonly hash: string
  readonly name: string
  readonly tags: readonly string[]
  /** How often its query function ran. */
  readonly fetches: number
  readonly state: 'fetching' | 'fresh' | 'to refetch'
}

/** Counts the fetches of each tagged query. */
export class QueryMonitor {
  #rows: readonly QueryRow[] = []
  readonly #fetches = new Map<string, number>()
  readonly #cache: QueryCache
  readonly #listeners = new Set<() => void>()

  constructor(cache: QueryCache) {
    this.#cache = cache
    // Some cache events come while a component renders; the scheduled batch comes after it.
    const refresh = notifyManager.batchCalls(() => this.#refresh())
    cache.subscribe((event) => {
      if (event.type === 'updated' && event.action.type === 'fetch') {
        this.#fetches.set(event.query.queryHash, this.#count(event.query) + 1)
      }
      refresh()
    })
    this.#refresh()
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly rows = (): readonly QueryRow[] => this.#rows

  #count(query: Query): number {
    return this.#fetches.get(query.queryHash) ?? 0
  }

  #refresh(): void {
    this.#rows = this.#cache
      .getAll()
      .filter((query) => tagsOf(query).length > 0)
      .map((query) => ({
        hash: query.queryHash,
        name: query.queryKey.join(' '),
        tags: tagsOf(query).map(tagText),
        fetches: this.#count(query),
        state: query.state.fetchStatus === 'fetching' ? 'fetching' : query.state.isInvalidated ? 'to refetch' : 'fresh',
      }))
    for (const listener of this.#listeners) listener()
  }
}

function tagsOf(query: Query): readonly PlainTag[] {
  const tags = query.meta?.['tags']
  return Array.isArray(tags) ? tags : []
}
