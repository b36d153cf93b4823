import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[]
  }[]
}

/** Runs the cases of settle-guard.test.ts with plain `invalidateQueries` in place of the binding. Many of them have to fail. */
async function runPlainly(): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'plain-invalidation-'))
  const report = join(folder, 'report.json')
  const vitest = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')))
  const cases = 'packages/query-core/test/settle-guard'
  const args = [vitest, 'run', '--project', 'node', '--reporter', 'json', '--outputFile', report, cases]
  const run = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, PLAIN_INVALIDATION: '1' },
    stdio: 'ignore',
  })
  try {
    await once(run, 'exit')
    return JSON.parse(await readFile(report, 'utf8')) as Report
  } finally {
    await rm(folder, { recursive: true })
  }
}

it(
  'plain invalidateQueries loses the cases that the settle guard and the read positions are for',
  { timeout: 60_000 },
  async () => {
    const report = await runPlainly()

    const lost = report.testResults.flatMap(({ assertionResults }) =>
      assertionResults.filter(({ status }) => status === 'failed').map(({ title }) => title),
    )
    expect(lost).toEqual(
      expect.arrayContaining([
        'when the first fetch is in flight',
        'during prefetchQuery',
        'during ensureQueryData',
        'during fetchQuery',
        'during a suspense fetch, which has no observer yet',
        'during a background fetch without observers',
        'when a disabled query is refetched by hand',
        'setQueryData on an invalidated inactive query leaves it invalidated',
        'cancelQueries and setQueryData over our refetch are followed by another',
        'an invalidation during fetchNextPage keeps the new page, and the old pages do not stay stale',
        'fetchNextPage on a query that was invalidated while inactive does not make its old pages fresh',
        'of one observer hold when a second has no meta',
        'that depend on data are watched from when the data were read',
        'a query that was read before and watched after a heartbeat gets what it missed',
      ]),
    )
  },
)
