import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { run } from './run.ts'
import { Tally } from './trace.ts'

/** What is told of one seed. */
export interface SeedReport {
  readonly seed: number
  readonly faults: readonly string[]
  readonly counts: readonly (readonly [name: string, times: number])[]
}

export interface Simulation {
  readonly from: number
  readonly seeds: number
  /** Threads. With one, everything runs in this one. */
  readonly jobs: number
  /** Ends with the first seed that has a fault. */
  readonly stopsAtFault?: boolean
  /** Begins no other seed after this time, in milliseconds. */
  readonly maxMs?: number
  readonly onSeed?: (report: SeedReport) => void
}

export interface SimulationReport {
  /** How many seeds were run. */
  readonly seeds: number
  /** The seeds with a fault, in order. */
  readonly faulty: readonly SeedReport[]
  readonly tally: Tally
}

export async function toReport(seed: number): Promise<SeedReport> {
  const { faults, tally } = await run(seed)
  return { seed, faults, counts: tally.entries() }
}

/** Runs many seeds. */
export async function simulate(simulation: Simulation): Promise<SimulationReport> {
  const { from, seeds, jobs, stopsAtFault = false, maxMs = Infinity, onSeed } = simulation
  const faulty: SeedReport[] = []
  const tally = new Tally()
  let [next, count] = [from, 0]
  const startedAt = performance.now()
  const isOver = (): boolean =>
    next >= from + seeds || (stopsAtFault && faulty.length > 0) || performance.now() - startedAt > maxMs
  const work = async (report: (seed: number) => Promise<SeedReport>): Promise<void> => {
    while (!isOver()) {
      const told = await report(next++)
      count++
      tally.add(told.counts)
      if (told.faults.length > 0) faulty.push(told)
      onSeed?.(told)
    }
  }
  if (jobs === 1) await work(toReport)
  else await Promise.all(Array.from({ length: jobs }, () => inWorker(work)))
  return { seeds: count, faulty: faulty.sort((a, b) => a.seed - b.seed), tally }
}

async function inWorker(work: (report: (seed: number) => Promise<SeedReport>) => Promise<void>): Promise<void> {
  const worker = new Worker(new URL('worker.ts', import.meta.url), { execArgv: ['--conditions=query-tags-source'] })
  try {
    await work(async (seed) => {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker of Node has none
      worker.postMessage(seed)
      const [report] = (await once(worker, 'message')) as [SeedReport]
      return report
    })
  } finally {
    await worker.terminate()
  }
}
