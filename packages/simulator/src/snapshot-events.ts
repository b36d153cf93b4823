import type { Page } from './page.ts'
import { render, restore, store, type Snapshot } from './snapshots.ts'
import type { User } from './people.ts'
import type { World } from './world.ts'

const MAX_STORED = 3

/** A server makes the page for somebody. */
export function renderPage(world: World): void {
  const user = world.pickUser()
  if (world.hasRoom) onRendered(world, user, (snapshot) => world.openPage(user, snapshot))
}

/** Somebody goes on to a part of the app that a server renders: its data come into a cache that is in use. */
export function hydratePage(world: World): void {
  const visitor = world.sim.random.pick(world.visitors)
  const { page } = visitor
  const { user } = page
  onRendered(world, user, (snapshot) => {
    putInto(world, page, user, snapshot, () => snapshot.props && visitor.goOn(snapshot.props))
  })
}

/** A store that took its time is put into a cache that is in use. */
export function restoreLate(page: Page, world: World): void {
  const kept = world.sim.random.maybePick(world.stored.filter(({ user }) => user === page.user))
  if (kept) putInto(world, page, kept.user, kept.snapshot)
}

/** To render takes a while, and so does the way. */
function onRendered(world: World, user: User | undefined, arrive: (snapshot: Snapshot) => void): void {
  const { sim } = world
  const server = sim.random.pick(world.servers)
  if (!server.process) return
  const { process, system } = server
  const { queries } = sim.random.pick(world.visitors)
  sim.clock.after(process, 0, () => {
    void render(sim, process, system, queries, user).then((snapshot) => {
      sim.clock.after(sim.world, sim.random.pick([10, 1000, 10_000]), () => arrive(snapshot))
    })
  })
}

/** Unless somebody else uses the page by then. */
function putInto(
  { sim }: World,
  page: Page,
  user: User | undefined,
  snapshot: Snapshot,
  onPut: () => void = () => undefined,
): void {
  sim.clock.after(page.process, 0, () => {
    if (page.isClosed || page.user !== user) return
    sim.saw('cache is filled up', page.name)
    restore(sim, page, snapshot)
    onPut()
  })
}

export function storeCache(page: Page, { stored }: World): void {
  const snapshot = store(page)
  if (snapshot !== undefined && stored.unshift({ user: page.user, snapshot }) > MAX_STORED) stored.pop()
}

export function restorePage(world: World): void {
  const kept = world.sim.random.maybePick(world.stored)
  if (kept && world.hasRoom) world.openPage(kept.user, kept.snapshot)
}
