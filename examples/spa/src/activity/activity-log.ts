import { fromScopeId } from '@query-tags/core'
import { findUser } from '@query-tags/example-shared/users'
import type { InvalidationEvent } from '@query-tags/react'
import { tagText } from './tag-text.ts'

type Source = InvalidationEvent['source']

export interface Activity {
  readonly id: number
  readonly time: Date
  /** More than one when this page heard of one change from its own mutation, from the answer to it and from the server. */
  readonly sources: readonly Source[]
  readonly reason: string | undefined
  /** The only user whom the server tells. */
  readonly onlyTo: string | undefined
  /** Readable tags; empty when every tag is meant. */
  readonly tags: readonly string[]
  /** The queries that were hit: those on the page refetch at once, the others when they are shown again. */
  readonly queries: readonly HitQuery[]
}

interface HitQuery {
  readonly name: string
  readonly shown: boolean
}

const MAX_ENTRIES = 50
/** The word of the server and that of the own mutation come closer together than this. */
const SAME_CHANGE_MS = 1_000
/** How this page may hear of one change. */
const WORDS_OF_ONE: ReadonlySet<Source> = new Set(['local', 'receipt', 'stream'])

/** The latest invalidations of this page, newest first, in the shape that `useSyncExternalStore` wants. */
class ActivityLog {
  #entries: readonly Activity[] = []
  #nextId = 1
  readonly #listeners = new Set<() => void>()

  readonly add = (event: InvalidationEvent): void => {
    const entry = toActivity(this.#nextId++, event)
    const [latest, ...older] = this.#entries
    const entries = latest && isSameChange(latest, entry) ? [merge(latest, entry), ...older] : [entry, ...this.#entries]
    this.#entries = entries.slice(0, MAX_ENTRIES)
    for (const listener of this.#listeners) listener()
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly entries = (): readonly Activity[] => this.#entries
}

function toActivity(id: number, { source, reason, scope, tags, queries }: InvalidationEvent): Activity {
  return {
    id,
    time: new Date(),
    sources: [source],
    reason,
    onlyTo: scope === undefined ? undefined : findUser(fromScopeId(scope).id)?.name,
    tags: tags === '*' ? [] : tags.map(tagText),
    queries: queries.map((query) => ({ name: query.queryKey.join(' '), shown: query.isActive() })),
  }
}

function isSameChange(a: Activity, b: Activity): boolean {
  const sources = [...a.sources, ...b.sources]
  const isOwn = sources.includes('local') || sources.includes('receipt')
  const isOnce = new Set(sources).size === sources.length && sources.every((source) => WORDS_OF_ONE.has(source))
  return isOwn && isOnce && a.tags.join() === b.tags.join() && Number(b.time) - Number(a.time) < SAME_CHANGE_MS
}

function merge(a: Activity, b: Activity): Activity {
  const queries = new Map([...a.queries, ...b.queries].map((query) => [query.name, query]))
  return { ...a, sources: [...a.sources, ...b.sources], queries: [...queries.values()] }
}

export const activityLog = new ActivityLog()
