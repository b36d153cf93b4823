import { InfiniteQueryObserver, QueryObserver, type InfiniteData } from '@tanstack/query-core'
import type { Api } from './api.ts'
import type { Database } from './database.ts'
import { mutate } from './mutation.ts'
import type { Page } from './page.ts'
import { scopesOf } from './people.ts'
import { Queries, type Reading } from './queries.ts'
import type { Sim } from './sim.ts'
import type { Writer } from './writer.ts'

const MAX_MOUNTED = 8
const MAX_RECENT = 4
/** What the app writes into the cache by hand may be nearly this old: 30 s, says `setQueryData`'s promise. */
const MAX_HELD_MS = 29_000

interface Mounted {
  /** A component that shows one query … */
  readonly one?: QueryObserver<Reading>
  /** … or one that shows pages. */
  readonly pages?: InfiniteQueryObserver<Reading>
  readonly unmount: () => void
}

/** Somebody who uses a page: components come and go, and everything is done that moves data in and out of a cache. */
export class Visitor {
  readonly page: Page
  readonly #sim: Sim
  readonly #database: Database
  readonly #writer: Writer
  readonly #api: Api
  readonly queries: Queries
  readonly #recent: string[] = []
  readonly #mounted = new Set<Mounted>()
  /** What the server put into the components that are shown, when it made them. */
  #props: ReadonlyMap<string, Reading>
  /** What the app read by itself, and when. */
  readonly #held: { readonly name: string; readonly reading: Reading; readonly at: number }[] = []

  constructor(sim: Sim, database: Database, writer: Writer, api: Api, page: Page) {
    this.#sim = sim
    this.#database = database
    this.#writer = writer
    this.#api = api
    this.page = page
    this.queries = new Queries(database, api, sim.random)
    this.#props = new Map(this.queries.namesFor([]).map((name) => [name, this.queries.read(name)]))
  }

  /** Does one thing, once the page is awake. */
  act(): void {
    const [name, step] = this.#sim.random.pick(this.#steps)
    this.#sim.clock.after(this.page.process, 0, () => {
      this.#sim.log(`${this.page.name} does ${name}`)
      step()
    })
  }

  /** Somebody looks first at what they have looked at before, or at what the page was made for. */
  recall(names: readonly string[]): void {
    this.#recent.push(...names)
  }

  /** Goes on to a part of the app that a server has made. Its cursor is not about the components of the part before. */
  goOn(props: ReadonlyMap<string, Reading>): void {
    this.#props = props
  }

  /** Leaves everything that belongs to the user that the page had so far. */
  forget(): void {
    for (const mounted of this.#mounted) if (isPrivate(nameOf(mounted))) this.#unmount(mounted)
    for (const listener of this.page.listeners) if (isPrivate(listener.id)) listener.stop()
    this.#client.removeQueries({ predicate: ({ queryKey }) => isPrivate(String(queryKey[0])) })
    this.#held.length = 0
  }

  leave(): void {
    for (const mounted of this.#mounted) this.#unmount(mounted)
  }

  get #client() {
    return this.page.queryClient
  }

  readonly #steps: readonly (readonly [name: string, step: () => void])[] = [
    ...repeat(8, 'mount', () => this.#mount(this.#name())),
    ...repeat(2, 'mount pages', () => this.#mountPages()),
    ...repeat(4, 'unmount', () => this.#unmount(this.#some())),
    ...repeat(2, 'prefetch', () => void this.#client.prefetchQuery({ ...this.#options(this.#name()), staleTime: 0 })),
    ['fetch', () => quietly(this.#client.fetchQuery(this.#options(this.#name())))],
    ['ensure', () => quietly(this.#client.ensureQueryData(this.#options(this.#name())))],
    ['refetch all', () => void this.#client.refetchQueries({ queryKey: [this.#name()], type: 'all' })],
    ['cancel', () => void this.#client.cancelQueries({ queryKey: [this.#name()] }, { silent: this.#chance(0.2) })],
    ['touch', () => this.page.mayWrite && this.#client.setQueryData<Reading>([this.#name()], (old) => old)],
    ['hold', () => this.#hold(this.#name())],
    ['write held', () => this.#writeHeld()],
    ['reset', () => void this.#client.resetQueries({ queryKey: [this.#name()] })],
    ...repeat(2, 'remove', () => this.#client.removeQueries({ queryKey: [this.#name()], type: 'inactive' })),
    ['remove shown', () => this.#removeShown()],
    ['clear', () => this.#chance(0.2) && this.#client.clear()],
    ['other options', () => this.#changeOptions()],
    ['refetch', () => this.#refetch()],
    ['next page', () => quietly(this.#some()?.pages?.fetchNextPage())],
    ['listen', () => this.#listen()],
    ['stop listening', () => this.#sim.random.maybePick([...this.page.listeners])?.stop()],
    ...repeat(3, 'mutate', () => {
      const row = this.#database.row(this.#rowId())
      quietly(mutate(this.#sim, this.page, this.#api, this.#writer, row))
    }),
  ]

  #chance(probability: number): boolean {
    return this.#sim.random.chance(probability)
  }

  #some(): Mounted | undefined {
    return this.#sim.random.maybePick([...this.#mounted])
  }

  /** Somebody comes back to what they have looked at before, most of the time. */
  #name(): string {
    const names = this.queries.namesFor(this.#secrets())
    const recent = this.#recent.filter((name) => names.includes(name))
    const name = this.#sim.random.pick(this.#chance(0.5) && recent.length > 0 ? recent : names)
    this.#recent.unshift(name)
    this.#recent.splice(MAX_RECENT)
    return name
  }

  #rowId(): string {
    return this.#sim.random.pick(this.#database.idsFor(this.#secrets()))
  }

  #secrets(): readonly string[] {
    return scopesOf(this.page.user).map(({ id }) => id)
  }

  #options(name: string) {
    const options = this.queries.options(name, this.#client.getQueryData<Reading>([name]), this.#chance(0.85))
    return { ...options, ...this.#persister }
  }

  #mount(name: string): void {
    const initialData = this.#chance(0.2) ? this.#props.get(name) : undefined
    const observer = new QueryObserver<Reading>(this.#client, {
      ...this.#options(name),
      enabled: this.#chance(0.85),
      refetchOnMount: this.#chance(0.5),
      gcTime: this.#sim.random.pick([0, 5000, Infinity]),
      ...(initialData && { initialData }),
      ...this.#retries(),
    })
    let target = observer.getCurrentResult().data?.target
    const unmount = observer.subscribe(({ data }) => {
      if (data?.target === undefined || data.target === target) return
      // As a component does whose tags depend on its data. By now it may show another query.
      target = data.target
      const shown = String(observer.options.queryKey[0])
      observer.setOptions({ ...observer.options, ...this.queries.options(shown, data) })
    })
    this.#keep({ one: observer, unmount })
  }

  #mountPages(): void {
    const observer = new InfiniteQueryObserver<Reading, Error, InfiniteData<Reading>, readonly unknown[], number>(
      this.#client,
      { ...this.queries.pagedOptions(), ...this.#persister, ...this.#retries() },
    )
    this.#keep({ pages: observer as never, unmount: observer.subscribe(() => undefined) })
  }

  get #persister() {
    const { persister } = this.page
    // One type for what is generic there.
    return persister && { persister: persister as never }
  }

  #retries() {
    return this.#chance(0.3) ? { retry: 2, retryDelay: 500 } : {}
  }

  #keep(mounted: Mounted): void {
    const [oldest] = this.#mounted
    if (this.#mounted.size >= MAX_MOUNTED) this.#unmount(oldest)
    this.#mounted.add(mounted)
  }

  #unmount(mounted: Mounted | undefined): void {
    if (mounted && this.#mounted.delete(mounted)) mounted.unmount()
  }

  #changeOptions(): void {
    this.#some()?.one?.setOptions({ ...this.#options(this.#name()), enabled: this.#chance(0.8) })
  }

  #refetch(): void {
    const { one, pages } = this.#some() ?? {}
    quietly((one ?? pages)?.refetch({ cancelRefetch: this.#chance(0.5) }))
  }

  /** A query is taken out of the cache while a component still shows it, until it renders again. */
  #removeShown(): void {
    const shown = this.#some()
    if (!shown) return
    this.#sim.saw('removed a query that is shown', this.page.name)
    this.#client.removeQueries({ queryKey: [nameOf(shown)], exact: true })
    this.#sim.clock.after(this.page.process, this.#sim.random.pick([0, 1000]), () => {
      if (this.#mounted.has(shown)) shown.one?.setOptions(shown.one.options)
    })
  }

  #hold(name: string): void {
    this.#held.push({ name, reading: this.queries.read(name), at: this.#ownTime() })
  }

  #writeHeld(): void {
    const held = this.page.mayWrite ? this.#held.shift() : undefined
    if (!held || this.#ownTime() - held.at >= MAX_HELD_MS) return
    if (!this.#client.getQueryState([held.name])) this.#sim.saw('seeded before it has tags', this.page.name)
    this.#client.setQueryData([held.name], held.reading)
  }

  #ownTime(): number {
    return this.#sim.clock.nowOf(this.page.process)
  }

  #listen(): void {
    const row = this.#database.row(this.#rowId())
    this.page.listen(row.id, row.tag, () => row.version)
  }
}

/** The name of what it shows now. */
function nameOf({ one, pages }: Mounted): string {
  return String((one ?? pages)?.options.queryKey[0])
}

/** Whether a row, or a query by its name, is only for some. */
function isPrivate(name: string): boolean {
  return name.startsWith('~')
}

function repeat(times: number, name: string, step: () => void): (readonly [name: string, step: () => void])[] {
  return Array.from({ length: times }, () => [name, step] as const)
}

/** What fails here is shown by the query itself. */
function quietly(promise: Promise<unknown> | undefined): void {
  promise?.catch(() => undefined)
}
