/**
 * `pnpm faults [--minutes 3] [--seed 1] [--clients 300] [--servers 3] [--fault 'split brain'] [--without-guard verify-repairs]`: server
 * processes, one Redis with a replica, clients, and faults. Prints what happened, and fails when anything that was acknowledged was lost.
 */
import { parseArgs } from 'node:util'
import { faults } from './faults.ts'
import { randomSchedule, runFaults } from './run-faults.ts'

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

for (const name of values.fault ?? []) {
  if (!faults[name]) throw new Error(`There is no fault "${name}"; there are: ${Object.keys(faults).join(', ')}`)
}
const seed = Number(values.seed)
const { lost, notLive, errors } = await runFaults({
  seed,
  clients: Number(values.clients),
  servers: Number(values.servers),
  heartbeatMs: Number(values.heartbeat),
  schedule: values.fault ?? randomSchedule(seed),
  maxMs: Number(values.minutes) * 60_000,
  withoutGuard: values['without-guard'],
  print: (line) => process.stdout.write(`${line}\n`),
})
if (lost > 0 || notLive > 0 || errors.length > 0) process.exitCode = 1
