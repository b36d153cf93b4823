import type { Random } from './random.ts'

/** What goes wrong with single requests, as probabilities, and how long things take. */
export interface Conditions {
  /** Longest ordinary time of one way, in milliseconds. */
  readonly latencyMs: number
  /** One way takes up to 15 s. */
  readonly spike: number
  /** Nobody answers at the address. */
  readonly refuse: number
  /** The request, or its answer, is lost, and no one is told. */
  readonly lose: number
  /** Something on the way answers 503 by itself. */
  readonly overload: number
  /** A watch request arrives twice. */
  readonly twice: number
  /** A watch request's answer comes when nobody waits any more. */
  readonly late: number
  /** A stream arrives in pieces of a few bytes. */
  readonly drip: number
  /** A proxy collects a stream, and passes it on now and then, or never. */
  readonly buffer: number
  /** Longest time that the app's own API takes, in milliseconds. */
  readonly apiMs: number
  /** A request for data fails. */
  readonly failRead: number
  /** An effect of a frame throws. */
  readonly failEffect: number
  /** The app ends the binding while it is told of an invalidation. */
  readonly endInEffect: number
  /** A request for a stream or a watch request comes out elsewhere than the page's other requests. */
  readonly stray: number
}

export const CALM: Conditions = {
  latencyMs: 60,
  spike: 0,
  refuse: 0,
  lose: 0,
  overload: 0,
  twice: 0,
  late: 0,
  drip: 0,
  buffer: 0,
  apiMs: 200,
  failRead: 0,
  failEffect: 0,
  endInEffect: 0,
  stray: 0,
}

/** Each trouble is there in some worlds only: all of them at once leave no stream alive for long enough to be interesting. */
export function randomConditions(random: Random): Conditions {
  const sometimes = (max: number, share = 0.4): number => (random.chance(share) ? random.between(max / 5, max) : 0)
  return {
    latencyMs: random.pick([5, 60, 300, 1500]),
    spike: sometimes(0.05),
    refuse: sometimes(0.2),
    lose: sometimes(0.2),
    overload: sometimes(0.15),
    twice: sometimes(0.5),
    late: sometimes(0.3),
    drip: sometimes(0.5),
    buffer: sometimes(0.3, 0.25),
    apiMs: random.pick([20, 500, 4000]),
    failRead: sometimes(0.2),
    failEffect: sometimes(0.2),
    endInEffect: sometimes(0.05, 0.25),
    stray: sometimes(0.5, 0.25),
  }
}
