import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { UserConfig } from 'tsdown'

interface Manifest {
  private?: boolean
  exports: Record<string, string | { 'query-tags-source': string }>
}

/** `exports` of each package.json, kept by hand, is the one list of entries: what has a source is built to the path beside it. */
function entriesOf(manifest: Manifest): Record<string, string> {
  const sources = Object.values(manifest.exports).flatMap((target) =>
    typeof target === 'string' ? [] : [target['query-tags-source']],
  )
  return Object.fromEntries(sources.map((source) => [source.replace(/^\.\/src\/|\.tsx?$/g, ''), source]))
}

const shared: UserConfig = {
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  fixedExtension: false,
  dts: true,
  sourcemap: true,
  publint: { strict: true },
  attw: { profile: 'esm-only', level: 'error' },
  // Only the server's packages import them; the linter sees to that.
  deps: { neverBundle: [/^node:/] },
  failOnWarn: true,
}

/** File by file, since those that begin with 'use client' are not for server components, and the others are. */
const withDirectives: UserConfig = { unbundle: true, inputOptions: { checks: { moduleLevelDirective: false } } }

const config: UserConfig[] = readdirSync('packages').flatMap((name) => {
  const cwd = `packages/${name}`
  if (!existsSync(`${cwd}/package.json`)) return []
  const manifest = JSON.parse(readFileSync(`${cwd}/package.json`, 'utf8')) as Manifest
  if (manifest.private) return []
  return [{ ...shared, ...(name === 'react' && withDirectives), name, cwd, entry: entriesOf(manifest) }]
})

export default config
