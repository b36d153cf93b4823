/**
 * The whole product of adapters, runtimes and cases, printed as two tables: every case of the conformance suite on every framework, and the
 * packed packages on every runtime, quiet streams included. Takes some minutes.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AdapterResults } from '@query-tags/adapter-conformance'
import { APPS, reasonToLeaveOut, RUNTIMES, type App, type Runtime } from '../src/cells.ts'
import { installPacked } from '../src/install-packed.ts'
import { runCell } from '../src/run-cell.ts'
import { countFailures, toMarkdown, type Mark, type Table } from '../src/table.ts'

/** Each spends most of its time with a quiet stream. */
const CELLS_AT_A_TIME = 6

const root = fileURLToPath(new URL('../../..', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'query-tags-full-'))

try {
  const tables = [runSuite(), await runRuntimes()]
  for (const table of tables) console.log(toMarkdown(table))
  const failures = tables.reduce((count, table) => count + countFailures(table), 0)
  console.log(failures === 0 ? 'all passed' : `${failures} failed`)
  process.exitCode = failures === 0 ? 0 : 1
} finally {
  rmSync(directory, { recursive: true, force: true })
}

function runSuite(): Table {
  const file = join(directory, 'conformance.jsonl')
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  spawnSync(process.execPath, [vitest, 'run', '--project=node', 'packages/adapter-'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, CONFORMANCE_RESULTS: file },
  })
  if (!existsSync(file)) throw new Error('The conformance suite left no results')
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  const adapters = lines.map((line) => JSON.parse(line) as AdapterResults)
  adapters.sort((a, b) => a.adapter.localeCompare(b.adapter))
  // Each names all of the cases, in the same order.
  const claims = adapters[0]!.claims
  return {
    title: 'Adapters (Node 24)',
    columns: adapters.map(({ adapter }) => adapter),
    rows: claims.map((name) => ({ name, marks: adapters.map(({ results }) => toMark(results[name])) })),
  }
}

function toMark(result: string | undefined): Mark {
  if (result === 'passed') return { passed: true }
  if (result === undefined || result === 'failed') return { failed: 'see the output of the tests' }
  return { leftOut: result }
}

async function runRuntimes(): Promise<Table> {
  await installPacked(directory)
  const cells = RUNTIMES.flatMap((runtime) => APPS.map((app) => ({ runtime, app })))
  const marks = new Map<string, Mark>()
  const next = async (): Promise<void> => {
    for (let cell = cells.shift(); cell; cell = cells.shift()) {
      marks.set(`${cell.app} ${cell.runtime.name}`, await runFully(cell.app, cell.runtime))
    }
  }
  await Promise.all(Array.from({ length: CELLS_AT_A_TIME }, next))
  return {
    title: 'Runtimes (packed packages)',
    columns: RUNTIMES.map(({ name }) => name),
    rows: APPS.map((app) => ({ name: app, marks: RUNTIMES.map(({ name }) => marks.get(`${app} ${name}`)!) })),
  }
}

async function runFully(app: App, runtime: Runtime): Promise<Mark> {
  const leftOut = reasonToLeaveOut(app, runtime)
  if (leftOut !== undefined) return { leftOut }
  const project = join(directory, 'project')
  const { cases, noise, exitCode } = await runCell(app, runtime, project, 'full')
  const failed = cases.filter(({ error }) => error !== undefined)
  for (const { claim, error } of failed) console.error(`${app} on ${runtime.name}: ${claim}: ${error}`)
  if (noise) console.error(`${app} on ${runtime.name} printed: ${noise}`)
  if (failed.length === 0 && cases.length === 7 && noise === '' && exitCode === 0) return { passed: true }
  return {
    failed: failed.map(({ claim }) => claim).join(', ') || `exit code ${exitCode}, ${cases.length} cases, or noise`,
  }
}
