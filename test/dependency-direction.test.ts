import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

// A tree that has nothing but our lint config: what it says about an import depends on the importing file's path alone.
const root = fileURLToPath(new URL('..', import.meta.url))
const tree = mkdtempSync(join(tmpdir(), 'query-tags-lint-'))

const refused = [
  ['core', '@query-tags/server'],
  ['core', '@query-tags/query-core'],
  ['core', 'node:fs'],
  ['server', '@query-tags/http-client'],
  ['server', '@query-tags/core/client'],
  ['adapter-express', '@query-tags/core'],
  ['adapter-hono', '@query-tags/react'],
  ['http-client', '@query-tags/server'],
  ['http-client', '@query-tags/react'],
  ['start-client', '@query-tags/server'],
  ['start-client', '@query-tags/query-core'],
  ['query-core', '@query-tags/http-client'],
  ['query-core', '@query-tags/server/node'],
  ['react', '@query-tags/server'],
  ['react', '../../core/src/tags/tag.ts'],
  ['react', './index.ts'],
  ['testing', '@query-tags/react'],
  ['testing', '@query-tags/server/node'],
] as const
const allowed = [
  ['server', '@query-tags/core'],
  ['server', 'node:http'],
  ['adapter-express', '@query-tags/server'],
  ['adapter-express', '@query-tags/server/node'],
  ['http-client', '@query-tags/core'],
  ['http-client', '@query-tags/core/client'],
  ['query-core', '@query-tags/core'],
  ['start-client', '@query-tags/http-client'],
  ['react', '@query-tags/query-core'],
  ['react', '@query-tags/http-client'],
  ['react', './provider.tsx'],
  ['testing', '@query-tags/server'],
] as const

const fileOf = (packageName: string, imported: string): string =>
  `packages/${packageName}/src/${imported.replaceAll(/[^a-z]+/g, '-')}.ts`

describe('the dependency direction', () => {
  let faults: string[] = []

  beforeAll(() => {
    copyFileSync(join(root, 'oxlint.config.ts'), join(tree, 'oxlint.config.ts'))
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
    for (const [packageName, imported] of [...refused, ...allowed]) {
      const file = join(tree, fileOf(packageName, imported))
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, `export * from '${imported}'\n`)
    }
    const oxlint = join(root, 'node_modules/oxlint/bin/oxlint')
    const run = spawnSync(process.execPath, [oxlint, '--format=unix', 'packages'], { cwd: tree, encoding: 'utf8' })
    faults = run.stdout.split('\n').filter((line) => line.includes('no-restricted-imports'))
  })
  afterAll(() => rmSync(tree, { recursive: true, force: true }))

  it.each(refused)('refuses %s -> %s', (packageName, imported) => {
    expect(faults.filter((line) => line.includes(fileOf(packageName, imported)))).toHaveLength(1)
  })

  it.each(allowed)('allows %s -> %s', (packageName, imported) => {
    expect(faults.filter((line) => line.includes(fileOf(packageName, imported)))).toEqual([])
  })
})
