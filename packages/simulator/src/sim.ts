import { Process, VirtualClock } from './clock.ts'
import type { Random } from './random.ts'
import type { Tally, Trace } from './trace.ts'

/** 2026-01-01, where the wall clocks of this world begin. */
const WALL_ZERO = Date.UTC(2026, 0, 1)

/** Characters of a line that are kept: some frames are very long. */
const MAX_LINE = 600

/** What everything in one simulated world shares: its time, its chance, and the record of what happened. */
export class Sim {
  readonly clock: VirtualClock = new VirtualClock()
  /** What belongs to nobody that can sleep or die: the network, the database. */
  readonly world: Process = new Process('world')
  readonly random: Random
  readonly tally: Tally
  /** `undefined`: nobody wants to know. */
  readonly trace: Trace | undefined
  /** Broken promises, in words. */
  readonly faults: string[] = []

  constructor(random: Random, tally: Tally, trace?: Trace) {
    this.random = random
    this.tally = tally
    this.trace = trace
  }

  /** What the wall clock of a process says, or of whoever runs now. */
  wall(process: Process = this.clock.current ?? this.world): number {
    return WALL_ZERO + this.clock.now + process.wallOffsetMs
  }

  /** Waits for a process. What waits for one that dies, waits for ever. */
  pause(process: Process, ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.after(process, ms, resolve)
    })
  }

  /** @param text a function where it would cost much to make a text that nobody wants. */
  log(text: string | (() => string)): void {
    if (!this.trace) return
    const line = typeof text === 'string' ? text : text()
    const shown = line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}… ${line.length}` : line
    this.trace.add(`${this.clock.now.toFixed(1)} ${shown}`)
  }

  /** Something that a run should see now and then. */
  saw(event: string, detail: string | (() => string) = ''): void {
    this.tally.count(event)
    this.log(() => `${event} ${typeof detail === 'string' ? detail : detail()}`)
  }

  fail(what: string): void {
    this.log(`FAULT ${what}`)
    this.faults.push(what)
  }
}
