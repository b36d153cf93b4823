/**
 * `pnpm simulate [--seeds 200] [--from 1] [--jobs 2] [--minutes 10] [--until-fault]` runs many seeds and prints what happened in them.
 * `pnpm simulate --seed 123 [--trace]` runs one, and prints its trace.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { ENOUGH_SEEDS, EXPECTED } from './expected.ts'
import { run } from './run.ts'
import { simulate, type SimulationReport } from './simulate.ts'
import { Trace } from './trace.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    seeds: { type: 'string', default: String(ENOUGH_SEEDS) },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    minutes: { type: 'string', default: 'Infinity' },
    'until-fault': { type: 'boolean', default: false },
  },
})

if (values.seed === undefined) await runMany(Number(values.seeds))
else await runOne(Number(values.seed))

async function runOne(seed: number): Promise<void> {
  const trace = new Trace(values.trace ? print : undefined)
  const { faults } = await run(seed, trace)
  for (const fault of faults) print(`seed ${seed}: ${fault}`)
  print(`trace ${trace.hash}, ${faults.length} faults`)
  if (faults.length > 0) process.exitCode = 1
}

async function runMany(seeds: number): Promise<void> {
  const startedAt = performance.now()
  const report = await simulate({
    from: Number(values.from),
    seeds,
    jobs: Number(values.jobs),
    maxMs: Number(values.minutes) * 60_000,
    stopsAtFault: values['until-fault'],
    onSeed({ seed, faults }) {
      if (faults.length > 0) print(`seed ${seed}: ${faults[0]}\n  npx -y pnpm@12.21.0 simulate --seed ${seed}`)
    },
  })
  printReport(report, (performance.now() - startedAt) / 1000)
}

function printReport({ seeds, faulty, tally }: SimulationReport, seconds: number): void {
  for (const [name, times] of tally.entries()) print(`${String(times).padStart(9)}  ${name}`)
  const missing = seeds < ENOUGH_SEEDS ? [] : EXPECTED.filter((name) => tally.of(name) === 0)
  for (const name of missing) print(`never happened: ${name}`)
  const speed = (seeds / seconds).toFixed(1)
  print(`${seeds} seeds in ${seconds.toFixed(1)} s (${speed} a second), ${faulty.length} with a fault`)
  if (faulty.length > 0 || missing.length > 0) process.exitCode = 1
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
