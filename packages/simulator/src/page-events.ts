import type { Page } from './page.ts'
import { USERS } from './people.ts'
import type { Visitor } from './visitor.ts'
import type { World } from './world.ts'

/** The browser stops a page in the background. It may say so, and the page may hear of it when it is seen again. */
export function freeze(world: World): void {
  const { sim } = world
  const { clock, random } = sim
  const page = random.pick(world.pages)
  if (page.process.sleep) return
  const isTold = random.chance(0.5)
  const isSeen = random.chance(0.5)
  clock.after(page.process, 0, () => {
    if (isTold) page.fire('frozen')
    // After what the page does about it.
    clock.after(sim.world, 0, () => {
      if (page.process.sleep || world.isCalm) return
      clock.fallAsleep(page.process, 'frozen')
      clock.after(sim.world, random.pick([2000, 15_000, 45_000]), () => {
        if (!page.process.sleep) return
        clock.wake(page.process)
        if (isTold || isSeen) clock.after(page.process, 0, () => page.fire(isTold ? 'restored' : 'visible'))
      })
    })
  })
}

export function goOffline(page: Page, { sim }: World): void {
  if (!page.isOnline) return
  page.goOffline()
  sim.clock.after(page.process, sim.random.between(500, 20_000), () => page.isOnline || page.goOnline())
}

export function stepWallClock(page: Page, { sim }: World): void {
  page.process.wallOffsetMs += sim.random.pick([20_000, 3_600_000]) * (page.isSetBack ? -1 : 1)
}

/** In order: with whatever the page does when it is left. Otherwise it is just gone, and its server is not told. */
export function closePage(world: World, inOrder: boolean): void {
  const { sim, visitors, network } = world
  if (visitors.length <= 3) world.openPage()
  const visitor = sim.random.pick(visitors)
  const { page } = visitor
  visitors.splice(visitors.indexOf(visitor), 1)
  if (inOrder && !page.process.sleep) {
    sim.clock.after(page.process, 0, () => {
      visitor.leave()
      page.close()
      sim.clock.after(sim.world, 0, () => sim.clock.kill(page.process))
    })
  } else {
    for (const exchange of network.open) if (exchange.peer === page) exchange.blackhole()
    sim.clock.kill(page.process)
    world.vanished.push(visitor)
  }
}

/** What an app may do when somebody else signs in. */
export function changeUser(visitor: Visitor, { sim }: World): void {
  const { page } = visitor
  const { random } = sim
  visitor.forget()
  page.user = random.pick([...USERS, undefined])
  page.hasExpiredSession = false
  if (page.namesScope) {
    page.unbind()
    page.bind()
    sim.saw('scope prop changes', page.name)
  } else if (random.chance(0.5)) {
    page.reconnect()
    sim.saw('client is created anew', page.name)
  } else {
    sim.saw('cookie changes', page.name)
  }
}

export function expireSession(page: Page, { sim }: World): void {
  page.hasExpiredSession = true
  sim.clock.after(page.process, sim.random.between(1000, 20_000), () => (page.hasExpiredSession = false))
}

export function rebind(page: Page, { sim }: World): void {
  page.unbind()
  sim.clock.after(page.process, sim.random.pick([0, 0, 3000, 30_000]), () => page.isClosed || page.bind())
}
