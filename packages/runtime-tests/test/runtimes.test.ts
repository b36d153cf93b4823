import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { APPS, reasonToLeaveOut, RUNTIMES } from '../src/cells.ts'
import { installPacked } from '../src/install-packed.ts'
import { runCell } from '../src/run-cell.ts'

const directory = mkdtempSync(join(tmpdir(), 'query-tags-runtimes-'))

beforeAll(() => installPacked(directory), 180_000)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe.each(RUNTIMES)('the packed packages on $name', (runtime) => {
  const apps = APPS.filter((app) => reasonToLeaveOut(app, runtime) === undefined)

  it.each(apps)('serve with %s, and print nothing', { timeout: 30_000 }, async (app) => {
    const { cases, noise, exitCode } = await runCell(app, runtime, join(directory, 'project'), 'short')

    expect(cases.filter(({ error }) => error !== undefined)).toEqual([])
    expect({ cases: cases.length, noise, exitCode }).toEqual({ cases: 6, noise: '', exitCode: 0 })
  })
})
