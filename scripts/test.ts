/**
 * The test command: every vitest project whose tools this machine has. A suite without its tool is skipped with one line, or
 * fails when CI is set. Arguments go to vitest (`pnpm test packages/core`). Ends with `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { countTests, type TestCount, type TestReport } from './test-report.ts'
import { findChromium, findCurl, findNginx, findPostgres, findRedis } from './tools.ts'

/** What suites need from the machine. `.ci/run` installs the Debian package. */
const needs = [
  { suite: 'browser', tool: 'Chromium', found: findChromium(), hint: 'install chromium or set CHROMIUM_PATH' },
  { suite: 'nginx', tool: 'nginx', found: findNginx(), hint: 'install nginx' },
  { suite: 'fleet', tool: 'nginx', found: findNginx(), hint: 'install nginx' },
  { suite: 'fleet', tool: 'redis-server', found: findRedis(), hint: 'install redis-server' },
  // Part of another project; its tests skip themselves.
  { suite: 'curl -N', tool: 'curl', found: findCurl(), hint: 'install curl', isProject: false },
  { suite: 'Redis', tool: 'redis-server', found: findRedis(), hint: 'install redis-server', isProject: false },
  { suite: 'PostgreSQL', tool: 'initdb', found: findPostgres(), hint: 'install postgresql', isProject: false },
]

const inCi = !['', '0', 'false', undefined].includes(process.env['CI'])
const missing = needs.filter(({ found }) => found === undefined)

const { passed, failed, skipped } = runVitest(
  missing.filter(({ isProject = true }) => isProject).map(({ suite }) => suite),
)

if (skipped > 0) console.log(`${skipped} tests skipped${inCi ? ', which counts as failed in CI' : ''}`)
for (const { suite, tool, hint } of missing) {
  console.log(`${inCi ? 'failed' : 'skipped'}: the ${suite} suite needs ${tool} (${hint})`)
}
const failures = failed + (inCi ? missing.length + skipped : 0)
console.log(`${passed} passed, ${failures} failed`)
process.exitCode = failures > 0 ? 1 : 0

function runVitest(skippedSuites: string[]): TestCount {
  const directory = mkdtempSync(join(tmpdir(), 'query-tags-test-'))
  const reportPath = join(directory, 'report.json')
  const reporting = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`]
  const projects = skippedSuites.map((suite) => `--project=!${suite}`)
  const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))
  try {
    const run = spawnSync(process.execPath, [vitest, 'run', ...reporting, ...projects, ...process.argv.slice(2)], {
      stdio: 'inherit',
    })
    const report = JSON.parse(readFileSync(reportPath, 'utf8')) as TestReport
    return countTests({ ...report, success: report.success && run.status === 0 })
  } catch (error) {
    console.error('vitest left no report:', error)
    return { passed: 0, failed: 1, skipped: 0 }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
