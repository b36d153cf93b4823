/**
 * Shows that every guard is needed: takes each out of the sources and looks for what fails then, first the simulator, then the tests of its
 * package. Prints a table, and fails when nothing does. `pnpm guards [--seeds 100] [name …]` tries only these.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findGuards, type Guard } from './guard-marks.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const JOBS = 2
/** Seeds after which the tests are asked. */
const SEEDS = 15
/** A run that hangs without its guard has found it, too. */
const MAX_MS = 180_000

interface Finding {
  readonly guard: Guard
  /** `undefined`: nothing fails without it. */
  readonly foundBy: string | undefined
  readonly ms: number
}

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string', default: String(SEEDS) } },
})
const guards = findGuards(ROOT).filter(({ name }) => wanted.length === 0 || wanted.includes(name))
const unknown = wanted.filter((name) => !guards.some((guard) => guard.name === name))
if (unknown.length > 0) throw new Error(`There is no guard(${unknown.join('), guard(')})`)

/** For each folder of tests, whether they pass when nothing is taken out: otherwise their failing says nothing. */
const baselines = new Map<string, Promise<void>>()

const reports = mkdtempSync(join(tmpdir(), 'query-tags-guards-'))
try {
  const findings = await Promise.all(Array.from({ length: JOBS }, work))
  print(findings.flat())
} finally {
  rmSync(reports, { recursive: true, force: true })
}

/** @throws when something fails with all guards in place. */
function checkBaseline(name: string, attempt: () => Promise<string | undefined>): Promise<void> {
  let baseline = baselines.get(name)
  if (!baseline) {
    baseline = attempt().then((foundBy) => {
      if (foundBy !== undefined) throw new Error(`With every guard in place, this fails: ${foundBy}`)
    })
    baselines.set(name, baseline)
  }
  return baseline
}

async function work(): Promise<Finding[]> {
  const findings: Finding[] = []
  for (let guard = guards.shift(); guard; guard = guards.shift()) {
    const startedAt = performance.now()
    const foundBy = (await findBySimulator(guard)) ?? (await findByTests(guard))
    const finding = { guard, foundBy, ms: performance.now() - startedAt }
    console.log(toRow(finding))
    findings.push(finding)
  }
  return findings
}

async function findBySimulator({ name }: Guard): Promise<string | undefined> {
  const foundBy = await simulate(name)
  if (foundBy !== undefined) await checkBaseline('simulator', () => simulate(''))
  return foundBy
}

/** The tests beside the source first, which know it best: test folders mirror `src`. */
async function findByTests({ name, file, package: folder }: Guard): Promise<string | undefined> {
  const all = `packages/${folder}/test`
  const beside = dirname(file).replace('/src', '/test')
  const folders = beside === all ? [all] : [beside, all]
  for (const tests of folders) {
    const foundBy = await test(name, tests)
    if (foundBy === undefined) continue
    await checkBaseline(tests, () => test('', tests))
    return foundBy
  }
  return undefined
}

/** What fails in the simulator without this guard. */
async function simulate(name: string): Promise<string | undefined> {
  const hook = join(ROOT, 'scripts/guard-hook.ts')
  const cli = join(ROOT, 'packages/simulator/src/cli.ts')
  const seeds = ['--seeds', values.seeds, '--jobs', '1', '--until-fault']
  const { output, hangs } = await run(['--conditions=query-tags-source', '--import', hook, cli, ...seeds], name)
  if (hangs) return 'simulator: hangs'
  const [, seed, fault = ''] = /^seed (\d+): (.*)/m.exec(output) ?? []
  if (seed !== undefined) return `simulator, seed ${seed}: ${fault}`
  if (!/^\d+ seeds in /m.test(output)) throw new Error(`The simulator did not run without guard(${name}):\n${output}`)
  return undefined
}

/** What fails in the tests of a folder without this guard. */
async function test(name: string, folder: string): Promise<string | undefined> {
  const report = join(reports, `${folder.replaceAll('/', '-')} ${name}.json`)
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs')
  const config = join(ROOT, 'scripts/guards.vitest.config.ts')
  const reporting = ['--reporter=json', `--outputFile.json=${report}`]
  const args = [vitest, 'run', '--config', config, '--root', ROOT, '--project=node', '--bail=1', ...reporting]
  const { hangs } = await run([...args, '--passWithNoTests', folder], name)
  if (hangs) return 'tests: hang'
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as VitestReport
  const failed = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === 'failed')
  if (failed) return `test: ${failed.fullName}`
  const broken = testResults.find(({ status }) => status === 'failed')
  return broken && `test file: ${broken.name.slice(ROOT.length)}`
}

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

function run(args: readonly string[], guard: string): Promise<{ readonly output: string; readonly hangs: boolean }> {
  // Few schedules do: each of these runs looks for one bug.
  const env = { ...process.env, REMOVE_GUARD: guard, SCHEDULES: '300', SIMULATOR_SEEDS: '1' }
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let hangs = false
  const keep = (text: Buffer): void => {
    output += text.toString()
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const timer = setTimeout(() => {
    hangs = true
    child.kill('SIGKILL')
  }, MAX_MS)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => {
      clearTimeout(timer)
      resolve({ output, hangs })
    })
  })
}

function print(findings: readonly Finding[]): void {
  const lost = findings.filter(({ foundBy }) => foundBy === undefined)
  const bySimulator = findings.filter(({ foundBy }) => foundBy?.startsWith('simulator'))
  console.log(`${findings.length} guards: ${bySimulator.length} found by the simulator, ${lost.length} by nothing`)
  if (lost.length > 0) process.exitCode = 1
}

function toRow({ guard, foundBy = 'NOTHING', ms }: Finding): string {
  const columns = [guard.name.padEnd(24), guard.package.padEnd(11), String(guard.guarantee).padStart(2)]
  return [...columns, `${(ms / 1000).toFixed(0)} s`.padStart(5), foundBy.slice(0, 120)].join('  ')
}
