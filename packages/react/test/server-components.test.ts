// @vitest-environment node
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsdown'
import { afterAll, beforeAll, expect, it } from 'vitest'
import config from '../../../tsdown.config.ts'

/*
 * The built package as a server component sees it. What bundlers do with 'use client' a hook of Node does here: such a module is not
 * loaded, and stands for what it exports. All else is loaded, with the React of servers.
 */

const own = fileURLToPath(new URL('..', import.meta.url))
let dist: string

beforeAll(async () => {
  // Below the package, so that what it imports is found.
  dist = mkdtempSync(join(own, 'node_modules/.dist-'))
  const ofReact = config.find(({ name }) => name === 'react')
  await build({ ...ofReact, cwd: own, config: false, outDir: dist, publint: false, attw: false, logLevel: 'error' })
})
afterAll(() => rmSync(dist, { recursive: true, force: true }))

const hook = `
import { registerHooks } from 'node:module'
registerHooks({
  load(url, context, next) {
    const module = next(url, context)
    const text = String(module.source)
    if (!text.startsWith('"use client"')) return module
    const [, names] = /export \\{ (.*) \\}/.exec(text)
    const source = names.split(', ').map((name) => 'export const ' + name + ' = "client";').join('')
    return { ...module, format: 'module', source }
  },
})`

function runOnServer(code: string): string {
  const conditions = ['--conditions=react-server', '--conditions=query-tags-source']
  const script = `${hook}; const react = await import(${JSON.stringify(join(dist, 'index.js'))}); ${code}`
  const args = [...conditions, '--input-type=module', '--eval', script]
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: join(own, '../query-core'), encoding: 'utf8' })
  return stdout + stderr
}

it('a server component gets the provider and the hooks as references to client modules', () => {
  expect(runOnServer('console.log(JSON.stringify(react))')).toContain(
    '{"TagInvalidationProvider":"client","useInvalidateLocally":"client","useInvalidationStatus":"client","useTagListener":"client"}',
  )
})

it('a server component can call what needs no browser', () => {
  const code = `
    const { QueryClient } = await import('@tanstack/query-core')
    const queryClient = new QueryClient()
    react.carryCursor(queryClient, { '["global",null]': 'e:1' })
    console.log(queryClient.getQueryCache().getAll().length, typeof react.withInvalidates)`

  expect(runOnServer(code)).toBe('1 function\n')
})

it('every file that needs a browser is, or is only reached through, a client module', () => {
  const files = readdirSync(dist).filter((file) => file.endsWith('.js'))
  const onServers = files.filter((file) => !readFileSync(join(dist, file), 'utf8').startsWith('"use client"'))

  expect(onServers.toSorted()).toEqual(['binding-slot.js', 'index.js', 'use-latest.js'])
})
