import { withTags, type RawTag } from '@query-tags/core'
import {
  dehydrate,
  hydrate,
  InfiniteQueryObserver,
  onlineManager,
  QueryObserver,
  type DehydratedState,
  type InfiniteData,
  type Query,
  type QueryClient,
} from '@tanstack/query-core'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createWorld, settle, type World } from './world.ts'

/*
 * Random schedules over everything that moves data in and out of a cache, also out of one page and into the next. In the end every query is
 * given its tags, and none may hold data older than the database without being marked; no active one may be left unfetched. A failing seed
 * is named; run it alone with SEED=<n>.
 */

const SCHEDULES = Number(process.env['SCHEDULES'] ?? 3000)
const STEPS = 60
/** In older versions (5.75, not 5.100) a silent cancel without a fetch after it leaves a query stuck beyond repair, so it is left out there. */
const SILENT_CANCELS = process.env['OLDEST_QUERY'] ? 0 : 0.2

interface Row {
  readonly a: number
  readonly b: number
}
interface Read {
  readonly row: Row
  readonly resolve: (row: Row) => void
  readonly reject: (error: Error) => void
}

const TAGS: Readonly<Record<string, readonly RawTag[]>> = {
  a: [['a']],
  b: [['b']],
  both: [['a'], ['b']],
  pages: [['a'], ['b']],
}
const NAMES = ['a', 'b', 'both'] as const

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  onlineManager.setOnline(true)
  vi.useRealTimers()
})

/** A small fast generator; the same seed gives the same schedule. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

class Schedule {
  world: World
  readonly #random: () => number
  #row: Row = { a: 0, b: 0 }
  /** What came with the page. */
  #shipped = this.#row
  readonly #reads: Read[] = []
  readonly #unmount: (() => void)[] = []
  readonly #observers: QueryObserver<Row>[] = []
  readonly #infinite: InfiniteQueryObserver<Row>[] = []
  /** What the app read itself, and when: it may write it into the cache up to 30 s later. */
  readonly #held: { readonly row: Row; readonly at: number }[] = []
  #connected = false
  /** What the page before stored, and this one did not restore yet. */
  #stored: DehydratedState | undefined

  constructor(seed: number) {
    this.#random = mulberry32(seed)
    this.world = createWorld({ environment: this.#environment() })
  }

  #environment() {
    return { now: () => Date.now(), after, random: this.#random, loadedAt: Date.now() }
  }

  readonly #read = (): Promise<Row> => {
    const { promise, resolve, reject } = Promise.withResolvers<Row>()
    this.#reads.push({ row: this.#row, resolve, reject })
    return promise
  }

  async run(): Promise<void> {
    for (let i = 0; i < STEPS; i++) {
      await this.#pick(this.#steps)()
      if (this.#random() < 0.7) await settle()
      if (this.#random() < 0.1) await vi.advanceTimersByTimeAsync(this.#random() * 20_000)
    }
    await this.#quiesce()
    for (const name of NAMES) this.#show(new QueryObserver<Row>(this.#client, this.#options(name)))
    await this.#quiesce()
  }

  /** What is wrong in the end. */
  faults(): string[] {
    const faults: string[] = []
    for (const query of this.world.queryClient.getQueryCache().getAll()) {
      const { data, isInvalidated, status } = query.state
      if (data === undefined || !isTagged(query)) continue
      const name = query.queryKey[0] as string
      const current = rowsOf(data as Row | InfiniteData<Row>).every((row) => this.#isCurrent(name, row))
      const told = `${query.queryHash} ${JSON.stringify(data)} of ${JSON.stringify(this.#row)}`
      if (!current && !isInvalidated) faults.push(`old data that are not marked: ${told}`)
      else if ((!current || isInvalidated) && query.isActive() && status !== 'error')
        faults.push(`an active query left behind: ${told}`)
    }
    return faults
  }

  #isCurrent(name: string, row: Row): boolean {
    return (name === 'b' || row.a === this.#row.a) && (name === 'a' || row.b === this.#row.b)
  }

  async #quiesce(): Promise<void> {
    onlineManager.setOnline(true)
    this.world.queryClient.getQueryCache().onOnline()
    if (!this.#connected) this.world.client.hello()
    for (let i = 0; i < 200; i++) {
      this.world.client.deliver()
      this.world.client.answer()
      await settle()
      for (const { row, resolve } of this.#reads.splice(0)) resolve(row)
      await settle()
      if (i % 10 === 9) await vi.advanceTimersByTimeAsync(31_000)
      if (i >= 30 && this.#reads.length === 0 && this.world.client.asked.length === 0) return
    }
    throw new Error('it never settles')
  }

  #options(name: string, tagged = true) {
    const options = { queryKey: [name], queryFn: this.#read, gcTime: Infinity }
    return tagged ? withTags(options, TAGS[name]!) : options
  }

  get #client() {
    return this.world.queryClient
  }

  readonly #steps: readonly (() => unknown)[] = [
    ...repeat(2, () => this.#reload()),
    () => this.#restore(),
    ...repeat(4, () => this.#change()),
    ...repeat(4, () => this.#connected && this.world.client.deliver()),
    ...repeat(4, () => this.#connected && this.world.client.answer()),
    ...repeat(6, () => {
      const [read] = this.#reads.splice(Math.floor(this.#random() * this.#reads.length), 1)
      read?.resolve(read.row)
    }),
    () => this.#reads.shift()?.reject(new Error('down')),
    () => {
      this.#connected = true
      this.world.client.hello()
    },
    ...repeat(3, () => this.#mount()),
    ...repeat(2, () => this.#unmount.splice(Math.floor(this.#random() * this.#unmount.length), 1)[0]?.()),
    () => void this.#client.prefetchQuery({ ...this.#options(this.#name(), this.#random() < 0.7), staleTime: 0 }),
    () => void this.#client.fetchQuery(this.#options(this.#name())).catch(() => undefined),
    () => void this.#client.ensureQueryData(this.#options(this.#name())).catch(() => undefined),
    () =>
      void this.#client.refetchQueries(
        { queryKey: [this.#name()], type: 'all' },
        { cancelRefetch: this.#random() < 0.5 },
      ),
    () => void this.#client.cancelQueries({ queryKey: [this.#name()] }, { silent: this.#random() < SILENT_CANCELS }),
    () => this.#client.setQueryData<Row>([this.#name()], (old) => old),
    () => this.#held.push({ row: this.#row, at: Date.now() }),
    () => {
      const held = this.#held.shift()
      if (held && Date.now() - held.at < 30_000) this.#client.setQueryData<Row>([this.#name()], held.row)
    },
    () => void this.#client.resetQueries({ queryKey: [this.#name()] }),
    () => this.#client.removeQueries({ queryKey: [this.#name()], type: 'inactive' }),
    () => onlineManager.setOnline(this.#random() < 0.7),
    () => this.#pick(this.#observers)?.setOptions({ ...this.#options(this.#name()), enabled: this.#random() < 0.7 }),
    () =>
      void this.#pick(this.#observers)
        ?.refetch()
        .catch(() => undefined),
    () => void this.#pick(this.#infinite)?.fetchNextPage(),
  ]

  /** The cache is stored, and some time later another page opens. */
  async #reload(): Promise<void> {
    const { queryClient, binding, client } = this.world
    if (this.#random() < 0.7) this.#stored = overTheWire(dehydrate(queryClient))
    binding.close()
    queryClient.clear()
    for (const list of [this.#reads, this.#unmount, this.#observers, this.#infinite, this.#held]) list.length = 0
    this.#connected = false
    // Longer than what a page may take to arrive.
    await vi.advanceTimersByTimeAsync(31_000 + this.#random() * 3_600_000)
    this.#shipped = this.#row
    const prepare = (cache: QueryClient): unknown => this.#random() < 0.3 && this.#restore(cache)
    this.world = createWorld({ client: client.reload(), environment: this.#environment(), prepare })
  }

  #restore(queryClient = this.#client): void {
    if (this.#stored) hydrate(queryClient, this.#stored)
    this.#stored = undefined
  }

  /** Commits, then says so, as an app does. A receipt may come back to this client first. */
  #change(): void {
    const tag = this.#random() < 0.5 ? 'a' : 'b'
    this.#row = { ...this.#row, [tag]: this.#row[tag] + 1 }
    const receipt = this.world.client.record([tag])
    if (this.#random() < 0.2) this.world.client.applyReceipt(receipt)
  }

  #mount(): void {
    if (this.#random() < 0.25) {
      const paged = {
        initialPageParam: 0,
        getNextPageParam: (_: Row, all: Row[]) => (all.length < 4 ? all.length : null),
      }
      const observer = new InfiniteQueryObserver<Row>(this.#client, { ...this.#options('pages'), ...paged })
      this.#infinite.push(observer)
      this.#unmount.push(observer.subscribe(() => undefined))
      return
    }
    const tagged = this.#random() < 0.85
    const observer = new QueryObserver<Row>(this.#client, {
      ...this.#options(this.#name(), tagged),
      enabled: this.#random() < 0.85,
      refetchOnMount: this.#random() < 0.5,
      ...(this.#random() < 0.15 && { initialData: this.#shipped }),
      ...(this.#random() < 0.3 && { retry: 1, retryDelay: 500 }),
    })
    this.#show(observer)
  }

  #show(observer: QueryObserver<Row>): void {
    this.#observers.push(observer)
    this.#unmount.push(observer.subscribe(() => undefined))
  }

  #name(): string {
    return this.#pick(NAMES)
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)]!
  }
}

function after(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms)
  return () => clearTimeout(timer)
}

function repeat(times: number, step: () => unknown): (() => unknown)[] {
  return Array.from({ length: times }, () => step)
}

function overTheWire<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}

function isTagged(query: Query): boolean {
  return [query.options, ...query.observers.map((observer) => observer.options)].some(
    (options) => options.meta?.['tags'] !== undefined,
  )
}

function rowsOf(data: Row | InfiniteData<Row>): readonly Row[] {
  return 'pages' in data ? data.pages : [data]
}

it(`loses nothing in ${SCHEDULES} random schedules (guarantees 1, 7, 12)`, { timeout: 300_000 }, async () => {
  const only = process.env['SEED']
  const seeds = only ? [Number(only)] : Array.from({ length: SCHEDULES }, (_, i) => i + 1)
  for (const seed of seeds) {
    const schedule = new Schedule(seed)
    try {
      await schedule.run()
      expect(schedule.faults(), `seed ${seed}`).toEqual([])
    } finally {
      schedule.world.binding.close()
      schedule.world.queryClient.clear()
      onlineManager.setOnline(true)
    }
  }
})
