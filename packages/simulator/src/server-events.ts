import type { Server } from './server.ts'
import type { World } from './world.ts'

/** As in a deployment: it ends what is open, and another takes its place. */
export function stop(server: Server, world: World): void {
  restart(server, world, () => server.stop())
}

/** @param isTold whether its clients' connections are reset. Otherwise the whole machine is gone. */
export function kill(server: Server, world: World, isTold: boolean): void {
  restart(server, world, async () => {
    await server.kill()
    world.network.lose(server, isTold)
  })
}

/** Everything that is only in memory is gone. */
export function restartAll(world: World): void {
  for (const server of world.servers) kill(server, world, world.sim.random.chance(0.8))
  void world.store.flush()
}

/** The store forgets everything, and streams break at about the same time. */
export function failOver({ sim, store, network }: World): void {
  for (const stream of network.streams) {
    if (sim.random.chance(0.5)) sim.clock.after(sim.world, sim.random.between(0, 500), () => stream.cut(true))
  }
  sim.clock.after(sim.world, sim.random.between(0, 500), () => void store.flush())
}

export function failLink(server: Server, { sim }: World, state: 'down' | 'hung'): void {
  server.link.state = state
  sim.clock.after(sim.world, sim.random.pick([1000, 6000, 20_000]), () => (server.link.state = 'up'))
}

function restart(server: Server, { sim }: World, end: () => Promise<void>): void {
  const downMs = sim.random.pick([0, 300, 10_000])
  sim.clock.after(sim.world, 0, () => {
    void end().then(() => sim.clock.after(sim.world, downMs, () => server.start()))
  })
}
