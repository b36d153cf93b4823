import type { ResetReason } from '@query-tags/core'
import type { Clock } from '../clock.ts'
import { REFUSAL_CODES, type RefusalCode } from '../http/refusal.ts'
import { Counter } from './counter.ts'
import { Histogram } from './histogram.ts'

/**
 * How a stream began: one of our clients without a cursor, or from its cursor; an EventSource or curl, or one that came back with its last
 * event ID.
 */
const CONNECT_MODES = ['fresh', 'resumed', 'plain', 'last-event-id'] as const
export type ConnectMode = (typeof CONNECT_MODES)[number]

const RESET_REASONS: Readonly<Record<ResetReason, true>> = {
  expired: true,
  epoch: true,
  ahead: true,
  'too-many': true,
  overflow: true,
  recovered: true,
}

/** What a system did since it was made. Labels are of closed sets: no tag and no scope can be in one. */
export class Metrics {
  readonly connects: Counter<ConnectMode> = new Counter(CONNECT_MODES)
  readonly refused: Counter<RefusalCode> = new Counter(REFUSAL_CODES)
  readonly records: Counter<'recorded' | 'failed'> = new Counter(['recorded', 'failed'])
  readonly resets: Counter<ResetReason> = new Counter(Object.keys(RESET_REASONS) as ResetReason[])
  readonly recordSeconds: Histogram = new Histogram()
  readonly busLagSeconds: Histogram = new Histogram()
  gapsRepaired = 0
  watchReopens = 0
  backlogMerges = 0
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Monotonic seconds. */
  now(): number {
    return this.#clock.now() / 1000
  }
}
