import { tagsOverlap, toPlainTag, toTagKey, type PlainTag, type TagInput } from '@query-tags/core'

/** A match of a route, as far as it is read here. */
export interface RouteMatchLike {
  readonly id: string
  readonly params: unknown
  readonly loaderDeps?: unknown
  readonly staticData?: unknown
}

type MatchFilter = (match: RouteMatchLike) => boolean

/** What is needed of TanStack Router's `router`, said without its package. */
export interface InvalidationRouter {
  readonly state: { readonly matches: readonly RouteMatchLike[] }
  readonly latestLocation: unknown
  matchRoutes(location: never): readonly RouteMatchLike[]
  clearCache(options: { filter: MatchFilter }): void
  invalidate(options: { filter: MatchFilter; sync: boolean }): Promise<void>
  subscribe(event: 'onBeforeLoad' | 'onResolved', listener: () => void): () => void
}

export type Listen = (tags: readonly PlainTag[], callback: (tags: readonly PlainTag[] | '*') => void) => () => void

/**
 * Runs loaders again whose route declares `staticData: { tags }` (an array, or a function of `params` and `loaderDeps`) when one of the tags
 * is invalidated. Only matching routes reload; the router itself drops what an older run of theirs still brings.
 */
export class RouteTags {
  readonly #router: InvalidationRouter
  readonly #listen: Listen
  readonly #onError: (error: unknown) => void
  readonly #unsubscribe: (() => void)[]
  /** The tags of all matches, by canonical form, each with what ends its listener. */
  readonly #listening = new Map<string, () => void>()
  /** What came in while a reload ran, and still has to reload. */
  #next: PlainTag[] | '*' | undefined
  #running = false

  constructor(router: InvalidationRouter, listen: Listen, onError: (error: unknown) => void) {
    this.#router = router
    this.#listen = listen
    this.#onError = onError
    this.#read()
    this.#unsubscribe = [
      router.subscribe('onBeforeLoad', () => this.#read()),
      // Preloaded matches have no event of their own; they are read when something else happens.
      router.subscribe('onResolved', () => this.#read()),
    ]
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    for (const unlisten of this.#listening.values()) unlisten()
    this.#next = undefined
  }

  #read(): void {
    const tags = new Map(this.#matches().flatMap((match) => this.#tagsOf(match).map((tag) => [toTagKey(tag), tag])))
    for (const [id, tag] of tags) {
      if (!this.#listening.has(id))
        this.#listening.set(
          id,
          this.#listen([tag], (hit) => this.#invalidate(hit)),
        )
    }
    for (const [id, unlisten] of this.#listening) {
      if (tags.has(id)) continue
      this.#listening.delete(id)
      unlisten()
    }
  }

  /** Current, pending, cached and preloading matches. */
  #matches(): RouteMatchLike[] {
    const matches = [...this.#router.state.matches, ...this.#router.matchRoutes(this.#router.latestLocation as never)]
    this.#router.clearCache({
      filter: (match) => {
        matches.push(match)
        return false
      },
    })
    return matches
  }

  #invalidate(tags: readonly PlainTag[] | '*'): void {
    this.#next = tags === '*' || this.#next === '*' ? '*' : [...(this.#next ?? []), ...tags]
    if (!this.#running) void this.#run()
  }

  /** One reload at a time, and one after it for everything that came meanwhile, so that each one paints. */
  async #run(): Promise<void> {
    this.#running = true
    // Several listeners hear of one invalidation.
    await Promise.resolve()
    while (this.#next) {
      const tags = this.#next
      this.#next = undefined
      const filter: MatchFilter = (match) =>
        this.#tagsOf(match).some((held) => tags === '*' || tags.some((tag) => tagsOverlap(held, tag)))
      // A filter that matches nothing would still run loaders that are stale for other reasons.
      if (!this.#matches().some(filter)) continue
      this.#router.clearCache({ filter })
      try {
        await this.#router.invalidate({ filter, sync: true })
      } catch (error) {
        this.#onError(error)
      }
    }
    this.#running = false
  }

  #tagsOf({ staticData, params, loaderDeps }: RouteMatchLike): PlainTag[] {
    const declared = (staticData as { tags?: unknown } | undefined)?.tags
    try {
      const tags: unknown = typeof declared === 'function' ? declared({ params, loaderDeps }) : declared
      return Array.isArray(tags) ? (tags as TagInput[]).map(toPlainTag) : []
    } catch (error) {
      // The app's own function, in the middle of a navigation: the route then has no tags, and the app is told.
      this.#onError(error)
      return []
    }
  }
}
