import { environmentManager, notifyManager, timeoutManager, type ManagedTimerId } from '@tanstack/query-core'
import type { VirtualClock } from './clock.ts'
import type { Sim } from './sim.ts'

/*
 * TanStack Query takes its timers, its notifications and the date from one place for the whole process. Here they are those of the page
 * that runs at the moment, in the world that runs at the moment.
 */

let running: VirtualClock | undefined
let lastId = 0
const timers = new Map<ManagedTimerId, () => void>()

function after(ms: number, callback: () => void): ManagedTimerId {
  if (!running?.current) throw new Error('A timer was set while no page ran')
  const id = ++lastId
  timers.set(
    id,
    running.after(running.current, ms, () => {
      timers.delete(id)
      callback()
    }),
  )
  return id
}

function cancel(id: ManagedTimerId | undefined): void {
  if (id === undefined) return
  timers.get(id)?.()
  timers.delete(id)
}

timeoutManager.setTimeoutProvider<ManagedTimerId>({
  setTimeout: (callback, delay) => after(delay, () => callback()),
  clearTimeout: cancel,
  setInterval: () => {
    throw new Error('Intervals are not simulated')
  },
  clearInterval: cancel,
})
notifyManager.setScheduler((callback) => void after(0, callback))
environmentManager.setIsServer(() => false)

/** Gives TanStack Query, and whoever else asks, the time and the chance of a simulated world while `work` runs. One world at a time. */
export async function inWorld<T>(sim: Sim, work: () => Promise<T>): Promise<T> {
  const [realNow, realRandom] = [Date.now, Math.random]
  running = sim.clock
  lastId = 0
  timers.clear()
  Date.now = () => sim.wall()
  Math.random = () => sim.random.next()
  try {
    return await work()
  } finally {
    Date.now = realNow
    Math.random = realRandom
    running = undefined
  }
}
