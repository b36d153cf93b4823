import { carryCursor } from '@query-tags/query-core'
import { dehydrate, hydrate, QueryClient, type DehydratedState } from '@tanstack/query-core'
import type { Process } from './clock.ts'
import type { Page } from './page.ts'
import { scopesOf, type User } from './people.ts'
import type { Queries } from './queries.ts'
import type { Server } from './server.ts'
import type { Sim } from './sim.ts'

/** A cache as text: as a server ships it with a page, or as a browser stores it. */
export type Snapshot = string

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
    await sim.pause(process, random.between(0, 300))
    const reading = queries.read(name)
    await sim.pause(process, random.between(0, 300))
    const { meta } = queries.options(name, reading)
    await queryClient.prefetchQuery({ queryKey: [name], queryFn: () => reading, meta })
  }
  return JSON.stringify(dehydrate(queryClient))
}

/** What a persister stores. `undefined` while a guess is shown, which no app should keep. */
export function store({ queryClient }: Page): Snapshot | undefined {
  const snapshot = JSON.stringify(dehydrate(queryClient))
  return snapshot.includes('"guess"') ? undefined : snapshot
}

export function restore({ queryClient }: Page, snapshot: Snapshot): void {
  hydrate(queryClient, JSON.parse(snapshot) as DehydratedState)
}
