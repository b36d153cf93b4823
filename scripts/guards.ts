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
const SIMULATOR = 'simulator'
/** Seeds after which the tests are asked. */
const SEEDS = 15
/** A run that hangs without its guard has found it, too. */
const MAX_MS = 300_000

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

/** What found a guard missing. */
interface Alarm {
  readonly foundBy: string
  /** What has to pass while the guard is there. */
  readonly target: string
  readonly isFile: boolean
}

/** Whether the simulator, or a file of tests, passes when nothing is taken out: otherwise its failing says nothing. */
const baselines = new Map<string, Promise<boolean>>()
/** Files of tests that do not. They are left out from then on. */
const failing = new Set<string>()

const reports = mkdtempSync(join(tmpdir(), 'query-tags-guards-'))
try {
  const findings = await Promise.all(Array.from({ length: JOBS }, work))
  print(findings.flat())
} finally {
  rmSync(reports, { recursive: true, force: true })
}

/** Whether what it says is about the guard that is missing. */
function isSound({ target }: Alarm): Promise<boolean> {
  let baseline = baselines.get(target)
  if (!baseline) {
    baseline = (target === SIMULATOR ? simulate('') : test('', target)).then((alarm) => {
      if (alarm) console.error(`With every guard in place, this fails: ${alarm.foundBy} (${target})`)
      if (alarm) failing.add(target)
      return !alarm
    })
    baselines.set(target, baseline)
  }
  return baseline
}

async function work(): Promise<Finding[]> {
  const findings: Finding[] = []
  for (let guard = guards.shift(); guard; guard = guards.shift()) {
    const startedAt = performance.now()
    const foundBy = await find(guard)
    const finding = { guard, foundBy, ms: performance.now() - startedAt }
    console.log(toRow(finding))
    findings.push(finding)
  }
  return findings
}

/** The simulator first, then the tests beside the source, which know it best: test folders mirror `src`. */
async function find({ name, file, package: folder }: Guard): Promise<string | undefined> {
  const all = `packages/${folder}/test`
  const beside = dirname(file).replace('/src', '/test')
  const folders = [...new Set([beside, all])]
  for (const attempt of [() => simulate(name), ...folders.map((tests) => () => test(name, tests))]) {
    let alarm = await attempt()
    while (alarm && !(await isSound(alarm))) alarm = alarm.isFile ? await attempt() : undefined
    if (alarm) return alarm.foundBy
  }
  return undefined
}

/** What fails in the simulator without this guard. */
async function simulate(name: string): Promise<Alarm | undefined> {
  const hook = join(ROOT, 'scripts/guard-hook.ts')
  const cli = join(ROOT, 'packages/simulator/src/cli.ts')
  const seeds = ['--seeds', values.seeds, '--jobs', '1', '--until-fault']
  const { output, hangs } = await run(['--conditions=query-tags-source', '--import', hook, cli, ...seeds], name)
  if (hangs) return { foundBy: 'simulator: hangs', target: SIMULATOR, isFile: false }
  const [, seed, fault = ''] = /^seed (\d+): (.*)/m.exec(output) ?? []
  if (seed !== undefined) return { foundBy: `simulator, seed ${seed}: ${fault}`, target: SIMULATOR, isFile: false }
  if (!/^\d+ seeds in /m.test(output)) throw new Error(`The simulator did not run without guard(${name}):\n${output}`)
  return undefined
}

/** What fails in the tests of a folder, or of a file, without this guard. */
async function test(name: string, target: string): Promise<Alarm | undefined> {
  const report = join(reports, `${target.replaceAll('/', '-')} ${name}.json`)
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs')
  const config = join(ROOT, 'scripts/guards.vitest.config.ts')
  const reporting = ['--reporter=json', `--outputFile.json=${report}`]
  const args = [vitest, 'run', '--config', config, '--root', ROOT, '--project=node', '--bail=1', ...reporting]
  const leftOut = [...failing].flatMap((file) => ['--exclude', file])
  const { hangs } = await run([...args, ...leftOut, '--passWithNoTests', target], name)
  if (hangs) return { foundBy: 'tests: hang', target, isFile: false }
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as VitestReport
  const failures = testResults.flatMap(({ name: path, assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => ({ path, fullName })),
  )
  // A file without a result may only have been cut off by the failure of another.
  const [failure] = failures
  const path = failure?.path ?? testResults.find(({ status }) => status === 'failed')?.name
  if (path === undefined) return undefined
  const file = path.slice(ROOT.length)
  return { foundBy: failure ? `test: ${failure.fullName}` : `test file: ${file}`, target: file, isFile: true }
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
  if (lost.length > 0 || failing.size > 0) process.exitCode = 1
}

function toRow({ guard, foundBy = 'NOTHING', ms }: Finding): string {
  const columns = [guard.name.padEnd(24), guard.package.padEnd(11), String(guard.guarantee).padStart(2)]
  return [...columns, `${(ms / 1000).toFixed(0)} s`.padStart(5), foundBy.slice(0, 120)].join('  ')
}
