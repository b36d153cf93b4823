import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

// What apps may compile with. Each program is a tsconfig in ./types; an augmentation of Register needs one of its own.
const compilers = {
  'TypeScript 5.7': 'typescript-5.7',
  'TypeScript 5.9': 'typescript-5.9',
  'TypeScript 6': 'typescript-6',
  'TypeScript 7': 'typescript',
}
const programs = readdirSync(new URL('types/', import.meta.url)).filter((name) => name.startsWith('tsconfig'))

describe.each(Object.entries(compilers))('%s', (_name, alias) => {
  it.each(programs)('compiles types/%s', { timeout: 60_000 }, async (program) => {
    const compiler = fileURLToPath(new URL(`../node_modules/${alias}/bin/tsc`, import.meta.url))
    const project = fileURLToPath(new URL(`types/${program}`, import.meta.url))

    const errors = await promisify(execFile)(process.execPath, [compiler, '--project', project]).then(
      () => '',
      (error: { stdout: string; message: string }) => error.stdout || error.message,
    )

    expect(errors).toBe('')
  })
})
