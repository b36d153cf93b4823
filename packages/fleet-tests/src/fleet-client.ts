import { tagsOverlap, type PlainTag } from '@query-tags/core'
import type { Attachment, Binding, Invalidation } from '@query-tags/core/client'
import { browserEnvironment, createHTTPInvalidatorClient, type InvalidatorClient } from '@query-tags/http-client'
import type { Database } from './database.ts'
import { itemTag } from './tags.ts'
import type { Tally } from './tally.ts'

export interface FleetClientOptions {
  readonly database: Database
  readonly tally: Tally
  /** Indexes of the scopes that it is in, the global one first. */
  readonly scopes: readonly number[]
  /** Where the next request goes. */
  readonly route: (path: string) => string
  readonly onError: (error: unknown) => void
}

interface Item {
  readonly id: number
  readonly tag: PlainTag
  /** The version that it shows, for each scope. */
  readonly shown: Map<number, number>
}

/**
 * A client with a watch list and, in place of a cache, the versions of the items that it shows. It refetches at the very moment at which it is
 * told to, and only what it is told: in no other moment could the refetch hide what was lost.
 */
export class FleetClient implements Binding {
  readonly #database: Database
  readonly #tally: Tally
  readonly #scopes: readonly number[]
  readonly #client: InvalidatorClient
  readonly #attachment: Attachment
  readonly #items = new Map<number, Item>()

  constructor({ database, tally, scopes, route, onError }: FleetClientOptions) {
    this.#database = database
    this.#tally = tally
    this.#scopes = scopes
    const rooms = scopes.slice(1).map((scope) => database.scopes[scope]!.id)
    this.#client = createHTTPInvalidatorClient({
      basePath: 'http://fleet/api/invalidator',
      headers: { 'x-rooms': rooms.join() },
      fetch: (input, init) => fetch(route(new URL(input instanceof Request ? input.url : input).pathname), init),
      // Its page loads now.
      environment: { ...browserEnvironment(), loadedAt: { now: performance.now(), wall: Date.now() } },
      onError,
    })
    this.#attachment = this.#client.attach(this)
  }

  get isLive(): boolean {
    return this.#client.status.state === 'live'
  }

  get items(): readonly number[] {
    return [...this.#items.keys()]
  }

  get status(): InvalidatorClient['status'] {
    return this.#client.status
  }

  /** Reads an item, and watches it from then on. `later` delays the watching, as a slow response does. */
  show(id: number, later: (watch: () => void) => void = (watch) => watch()): void {
    if (this.#items.has(id)) return
    const from = this.#attachment.position()
    const item: Item = { id, tag: itemTag(id), shown: new Map() }
    for (const scope of this.#scopes) item.shown.set(scope, this.#database.read({ scope, item: id }))
    this.#items.set(id, item)
    later(() => {
      if (this.#items.get(id) === item) this.#attachment.watch(item.tag, from)
    })
  }

  hide(id: number): void {
    const item = this.#items.get(id)
    if (!item) return
    this.#items.delete(id)
    this.#attachment.unwatch(item.tag)
  }

  /** Acknowledged invalidations that it should have seen by now and did not. */
  missed(): number {
    let count = 0
    for (const { id: item, shown } of this.#items.values()) {
      for (const [scope, version] of shown) count += this.#database.missed({ scope, item }, version)
    }
    return count
  }

  get isFresh(): boolean {
    for (const { id: item, shown } of this.#items.values()) {
      for (const [scope, version] of shown) if (!this.#database.isFresh({ scope, item }, version)) return false
    }
    return true
  }

  close(): void {
    this.#client.close()
  }

  onHello(): void {
    this.#tally.hellos++
  }

  onInvalidate({ scope, tags }: Invalidation): void {
    const items = this.#overlapping(tags)
    const seen = this.#refetch(items, [this.#database.scopeIds.indexOf(scope)])
    if (items.length === 0) this.#tally.ignored++
    else if (seen === 0) this.#tally.duplicates++
    this.#tally.delivered += seen
  }

  onReset({ scopes }: { readonly scopes: readonly string[] }): void {
    const reset = scopes.map((scope) => this.#database.scopeIds.indexOf(scope))
    this.#tally.resets += scopes.length
    this.#tally.coveredByReset += this.#refetch([...this.#items.values()], reset)
  }

  onMissed(added: readonly PlainTag[], missed: readonly PlainTag[] | 'expired'): void {
    const asked = this.#overlapping(added)
    const outdated =
      missed === 'expired' ? asked : asked.filter(({ tag }) => missed.some((each) => tagsOverlap(tag, each)))
    this.#tally.coveredByAnswer += this.#refetch(outdated, this.#scopes)
  }

  #overlapping(others: readonly PlainTag[]): Item[] {
    return [...this.#items.values()].filter(({ tag }) => others.some((other) => tagsOverlap(tag, other)))
  }

  /** Returns how many changes it had not seen before. */
  #refetch(items: readonly Item[], scopes: readonly number[]): number {
    let seen = 0
    for (const { id: item, shown } of items) {
      for (const scope of scopes) {
        const before = shown.get(scope)
        if (before === undefined) continue
        const version = this.#database.read({ scope, item })
        seen += version - before
        shown.set(scope, version)
      }
    }
    return seen
  }
}
