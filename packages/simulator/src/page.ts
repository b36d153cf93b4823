import { isQueryTagsError, toPlainTag, type TagInput } from '@query-tags/core'
import type { Environment, InvalidatorClient, PageEvent } from '@query-tags/core/client'
import { createHTTPInvalidatorClient } from '@query-tags/http-client'
import { bindTags, type InvalidationEvent, type TagBinding } from '@query-tags/query-core'
import { QueryClient } from '@tanstack/query-core'
import { Process } from './clock.ts'
import { withFailingEffects, type Trouble } from './failing-effects.ts'
import type { Persister } from './item-store.ts'
import type { Network, Peer } from './network.ts'
import { userScope, type User } from './people.ts'
import type { Server } from './server.ts'
import type { Sim } from './sim.ts'

/** A tag listener of the app, which keeps the row that it is about up to date by itself. */
export interface RowListener {
  readonly id: string
  version: number
  readonly stop: () => void
}

/** One page of the app in one browser: its time, its connection and its cache. */
export class Page implements Peer, Trouble {
  readonly name: string
  readonly process: Process
  readonly queryClient: QueryClient
  server: Server
  user: User | undefined
  isNewer = false
  isOnline = true
  isClosed = false
  /** The browser said that it freezes the page, and has not taken it back. */
  isFrozen = false
  /** Its requests are refused until the user has signed in again. */
  hasExpiredSession = false
  /** It names its user's scope when it binds, and closes the binding when the user changes, as a `scope` prop does. */
  readonly namesScope: boolean
  /**
   * Its wall clock may be set back, and then its machine never sleeps: with both clocks wrong there is no way to know how much time has passed.
   */
  readonly isSetBack: boolean
  /** What it stores its queries with, one by one. Not every app does. */
  persister: Persister | undefined
  client: InvalidatorClient
  binding: TagBinding | undefined
  readonly listeners = new Set<RowListener>()
  readonly #sim: Sim
  readonly #network: Network
  readonly #loadedAt: Environment['loadedAt']
  #isDisturbed = false
  #wasBound = false
  /** A cache that a browser had stored was put into its own. */
  isRestored = false
  readonly #pageListeners = new Set<(event: PageEvent) => void>()

  constructor(sim: Sim, network: Network, name: string, server: Server, user: User | undefined) {
    this.#sim = sim
    this.#network = network
    this.name = name
    this.process = new Process(name)
    this.server = server
    this.user = user
    this.isNewer = sim.random.chance(0.3)
    this.namesScope = sim.random.chance(0.3)
    this.isSetBack = sim.random.chance(0.3)
    this.#loadedAt = { now: sim.clock.now, wall: sim.wall(this.process) }
    this.queryClient = new QueryClient({
      defaultOptions: {
        queries: { staleTime: Infinity, gcTime: Infinity, retry: false },
        mutations: { gcTime: Infinity },
      },
    })
    this.client = this.#createClient()
    this.queryClient.getQueryCache().subscribe(({ type, query, ...event }) => {
      if (type === 'observerResultsUpdated') return
      const what = 'action' in event ? event.action.type : type
      sim.log(
        () => `${name} ${query.queryHash} ${what} ${query.state.isInvalidated} ${JSON.stringify(query.state.data)}`,
      )
      // As a listener of the app's own may.
      if (this.#isDisturbed && what === 'invalidate' && this.fails('listener')) {
        throw new Error('simulated: a listener of the cache failed')
      }
    })
  }

  fails(effect: string): boolean {
    const fails = this.#sim.random.chance(this.#network.conditions.failEffect)
    if (fails) this.#sim.saw(`failed effect of ${effect}`, this.name)
    return fails
  }

  disturb(): () => void {
    this.#isDisturbed = true
    return () => {
      this.#isDisturbed = false
    }
  }

  bind(): void {
    if (this.binding) return
    this.#wasBound = true
    const { clock, random } = this.#sim
    const scope = this.namesScope && this.user ? userScope(this.user) : undefined
    this.binding = bindTags({
      queryClient: this.queryClient,
      client: withFailingEffects(this.client, this),
      scope,
      onInvalidation: (event) => this.#onInvalidation(event),
      onError: (error) => this.#onError(error),
      environment: {
        now: () => clock.nowOf(this.process),
        after: (ms, callback) => clock.after(this.process, ms, callback),
        random: () => random.next(),
        loadedAt: this.#loadedAt.wall,
      },
    })
  }

  /**
   * Whether the app may write into its cache: not into one that was restored before anything was bound, since nobody sees then that TanStack
   * takes the marks off.
   */
  get mayWrite(): boolean {
    return this.#wasBound || !this.isRestored
  }

  unbind(): void {
    for (const listener of this.listeners) listener.stop()
    this.binding?.close()
    this.binding = undefined
  }

  /** Another connection, as an app makes one for another user. */
  reconnect(): void {
    this.unbind()
    this.client.close()
    this.client = this.#createClient()
    this.bind()
  }

  listen(id: string, tag: TagInput, read: () => number): void {
    if (!this.binding) return
    const stop = this.binding.listen([toPlainTag(tag)], () => (listener.version = read()))
    const listener: RowListener = {
      id,
      version: read(),
      stop: () => {
        this.listeners.delete(listener)
        stop()
      },
    }
    this.listeners.add(listener)
  }

  fire(event: PageEvent): void {
    if (event === 'frozen' || event === 'restored') this.isFrozen = event === 'frozen'
    for (const listener of this.#pageListeners) listener(event)
  }

  goOffline(): void {
    this.isOnline = false
    this.fire('offline')
  }

  goOnline(): void {
    this.isOnline = true
    this.fire('online')
  }

  /** Frees everything, as a page does that is left. */
  close(): void {
    this.isClosed = true
    this.unbind()
    this.client.close()
    this.queryClient.clear()
  }

  #createClient(): InvalidatorClient {
    const { clock, random } = this.#sim
    const client = createHTTPInvalidatorClient({
      basePath: 'http://app.test/api/invalidator',
      headers: () => ({ authorization: this.hasExpiredSession ? 'expired' : (this.user ?? 'nobody') }),
      fetch: this.#network.fetch(this),
      onError: (error) => this.#onError(error),
      environment: {
        now: () => clock.nowOf(this.process),
        wallNow: () => this.#sim.wall(this.process),
        loadedAt: this.#loadedAt,
        after: (ms, callback) => clock.after(this.process, ms, callback),
        random: () => random.next(),
        isOnline: () => this.isOnline,
        onPageEvent: (listener) => {
          this.#pageListeners.add(listener)
          return () => this.#pageListeners.delete(listener)
        },
      },
    })
    client.subscribe(() => {
      const { status } = client
      this.#sim.saw(`status ${status.state}${'reason' in status ? ` ${status.reason}` : ''}`, this.name)
    })
    return client
  }

  #onInvalidation({ source, reason, tags, queries }: InvalidationEvent): void {
    this.#sim.saw(`applied ${source}${reason ? ` ${reason}` : ''}`, () => {
      const hit = queries.map(({ queryHash }) => queryHash).join()
      return `${this.name} ${JSON.stringify(tags)} hits ${hit}`
    })
    // Not while it is made.
    if (!this.binding || !this.#sim.random.chance(this.#network.conditions.endInEffect)) return
    this.#sim.saw('binding ended in effect', this.name)
    // As an app does that signs its user out because of what it hears.
    if (this.#sim.random.chance(0.5)) this.reconnect()
    else {
      this.unbind()
      this.bind()
    }
  }

  /** Real servers send nothing that can't be read. */
  #onError(error: unknown): void {
    if (error instanceof Error && error.message.startsWith('simulated')) return
    const code = isQueryTagsError(error) ? `${error.code}: ` : ''
    this.#sim.fail(`${this.name} reported ${code}${error instanceof Error ? error.stack : String(error)}`)
  }
}
