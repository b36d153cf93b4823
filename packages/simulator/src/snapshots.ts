import { carryCursor } from '@query-tags/query-core'
import {
  defaultShouldDehydrateQuery,
  dehydrate,
  hydrate,
  QueryClient,
  type DehydratedState,
} from '@tanstack/query-core'
import type { Process } from './clock.ts'
import type { Page } from './page.ts'
import { scopesOf, type User } from './people.ts'
import type { Queries, Reading } from './queries.ts'
import type { Server } from './server.ts'
import type { Sim } from './sim.ts'

/** A cache as a server ships it with a page, or as a browser stores it. */
export interface Snapshot {
  readonly text: string
  /** What the server was still reading, by hash: it follows on the same stream. */
  readonly streamed: ReadonlyMap<string, Promise<unknown>>
  /** What a server put into the props of components beside it, by the name of the query that may begin with it. */
  readonly props?: ReadonlyMap<string, Reading>
}

/** What a server puts into a page for this user: the cursor is taken first, then everything is read, which takes its time. */
export async function render(
  sim: Sim,
  process: Process,
  system: Server['system'],
  queries: Queries,
  user: User | undefined,
): Promise<Snapshot> {
  const { random } = sim
  const queryClient = new QueryClient({ defaultOptions: { queries: { gcTime: Infinity, retry: false } } })
  carryCursor(queryClient, await system.cursor(scopesOf(user)))
  const secrets = scopesOf(user).map(({ id }) => id)
  for (let i = 0; i < 3; i++) {
    const name = random.pick(queries.namesFor(secrets))
    const isAwaited = random.chance(0.65)
    const { meta } = queries.options(name, queries.read(name))
    const queryFn = async (): Promise<Reading> => {
      // What streams outlives the server here: a page with a stream that never ends is out of anybody's reach.
      const reader = isAwaited ? process : sim.world
      await sim.pause(reader, random.between(0, isAwaited ? 300 : 5000))
      const reading = queries.read(name)
      await sim.pause(reader, random.between(0, isAwaited ? 300 : 5000))
      if (!isAwaited && random.chance(0.1)) throw new Error('simulated: a streamed read failed')
      return reading
    }
    const reading = queryClient.prefetchQuery({ queryKey: [name], queryFn, meta })
    if (isAwaited) await reading
  }
  const { queries: read, ...rest } = dehydrate(queryClient, {
    shouldDehydrateQuery: (query) => defaultShouldDehydrateQuery(query) || query.state.status === 'pending',
    shouldRedactErrors: () => false,
  })
  const streamed = read.flatMap(({ queryHash, promise }) => (promise ? [[queryHash, promise] as const] : []))
  const props = new Map(queries.namesFor([]).map((name) => [name, queries.read(name)]))
  return { text: JSON.stringify({ ...rest, queries: read }), streamed: new Map(streamed), props }
}

/** What a persister stores. `undefined` while a guess is shown, which no app should keep. */
export function store({ queryClient }: Page): Snapshot | undefined {
  const text = JSON.stringify(dehydrate(queryClient))
  return text.includes('"guess"') ? undefined : { text, streamed: new Map() }
}

/** Puts it into the cache of a page, now. */
export function restore(sim: Sim, page: Page, { text, streamed, props }: Snapshot): void {
  const { name, process, queryClient } = page
  page.isRestored ||= props === undefined
  const { queries, mutations } = JSON.parse(text) as DehydratedState
  for (const query of queries) {
    const promise = streamed.get(query.queryHash)
    if (!promise) continue
    sim.saw('streamed query', `${name} ${query.queryHash}`)
    query.promise = inTimeOf(sim, process, promise)
  }
  hydrate(queryClient, { queries, mutations })
}

/** Whether the page is told of data or of an error, it is in its own time. */
async function inTimeOf<T>(sim: Sim, process: Process, promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } finally {
    await sim.pause(process, sim.random.between(0, 100))
  }
}

/** The names of the queries that are in it. */
export function namesIn({ text }: Snapshot): readonly string[] {
  return (JSON.parse(text) as DehydratedState).queries.map(({ queryKey }) => String(queryKey[0]))
}
