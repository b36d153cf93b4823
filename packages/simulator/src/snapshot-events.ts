import type { Page } from './page.ts'
import { render, store } from './snapshots.ts'
import type { World } from './world.ts'

const MAX_STORED = 3

/** A server makes the page for somebody, which takes a while, and so does the way. */
export function renderPage(world: World): void {
  const { sim } = world
  const server = sim.random.pick(world.servers)
  if (!world.hasRoom || !server.process) return
  const { process, system } = server
  const user = world.pickUser()
  const { queries } = sim.random.pick(world.visitors)
  sim.clock.after(process, 0, () => {
    void render(sim, process, system, queries, user).then((snapshot) => {
      sim.clock.after(sim.world, sim.random.pick([10, 1000, 10_000]), () => world.openPage(user, snapshot))
    })
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
