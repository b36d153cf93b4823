/**
 * `pnpm faults [--minutes 3] [--seed 1] [--clients 300] [--servers 3] [--heartbeat 1000] [--fault 'split brain'] [--without-guard gap-hold]`:
 * server processes, one Redis with a replica, clients, and faults: each once, then any, as the seed says. Prints what happened, and fails when
 * anything that was acknowledged was lost.
 */
import { parseArgs } from 'node:util'
import { Random } from '@query-tags/simulator/random'
import { faults } from './faults.ts'
import { toLines, Trial } from './trial.ts'

const { values } = parseArgs({
  // pnpm hands on the `--` that some put before the options.
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  options: {
    minutes: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    clients: { type: 'string', default: '300' },
    servers: { type: 'string', default: '3' },
    heartbeat: { type: 'string', default: '1000' },
    fault: { type: 'string', multiple: true },
    'without-guard': { type: 'string' },
  },
})

const names = Object.keys(faults)
for (const name of values.fault ?? []) {
  if (!names.includes(name)) throw new Error(`There is no fault "${name}"; there are: ${names.join(', ')}`)
}
const seed = Number(values.seed)
const endsAt = performance.now() + Number(values.minutes) * 60_000
const trial = await Trial.start({
  seed,
  clients: Number(values.clients),
  servers: Number(values.servers),
  heartbeatMs: Number(values.heartbeat),
  withoutGuard: values['without-guard'],
})
try {
  let [rounds, lost, notLive] = [0, 0, 0]
  for (const name of values.fault ?? randomSchedule()) {
    if (performance.now() > endsAt || lost > 0 || trial.errors.length > 0) break
    const round = await trial.round(name)
    lost += round.lost
    notLive += round.notLive
    print(`${++rounds}. ${toLines(round)}`)
  }
  print(`seed ${seed}, ${rounds} rounds: ${trial.tally.toString()}, lost ${lost}`)
  for (const error of trial.errors) print(`error: ${error}`)
  if (lost > 0 || notLive > 0 || trial.errors.length > 0) process.exitCode = 1
} finally {
  await trial.close()
}

function* randomSchedule(): Generator<string> {
  const random = new Random(seed)
  yield* names
  for (;;) yield random.pick(names)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
