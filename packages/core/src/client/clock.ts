import type { Environment } from './environment.ts'

/** An instant by both clocks. */
export type Moment = Environment['loadedAt']

export function momentOf(environment: Environment): Moment {
  return { now: environment.now(), wall: environment.wallNow() }
}

/**
 * Milliseconds since a moment, by whichever clock says more: the monotonic one may stand still while the machine sleeps, and the wall clock
 * may be set back. Too much only makes a client ask again for what it has.
 */
export function elapsedMs(environment: Environment, since: Moment): number {
  return Math.max(environment.now() - since.now, environment.wallNow() - since.wall)
}
