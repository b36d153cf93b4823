import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findGuards, removeGuard } from '../scripts/guard-marks.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'query-tags-marks-'))
})
afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

function write(file: string, source: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), source)
}

describe('findGuards', () => {
  it('finds the marks of every package', () => {
    write('packages/a/src/x.ts', '// guard(one): why, guarantee 1\nf()\n')
    write(
      'packages/b/src/deep/y.ts',
      'if (a) {\n  // guard(two): why, with commas, guarantee 12\n  if (b) throw c\n}\n',
    )
    write('packages/b/test/y.test.ts', '// guard(not-shipped): why, guarantee 1\nf()\n')

    expect(findGuards(root)).toEqual([
      { name: 'one', guarantee: 1, file: 'packages/a/src/x.ts', package: 'a' },
      { name: 'two', guarantee: 12, file: 'packages/b/src/deep/y.ts', package: 'b' },
    ])
  })

  it('refuses a name that two marks have', () => {
    write('packages/a/src/x.ts', '// guard(one): why, guarantee 1\nf()\n')
    write('packages/a/src/y.ts', '// guard(one): why, guarantee 1\nf()\n')

    expect(() => findGuards(root)).toThrow('guard(one) is in packages/a/src/x.ts and in packages/a/src/y.ts')
  })

  it.each([
    ['says no guarantee', '// guard(one): why\nf()'],
    ['says no reason', '// guard(one), guarantee 1\nf()'],
    ['has another name than words with hyphens', '// guard(One): why, guarantee 1\nf()'],
    ['is above a declaration', '// guard(one): why, guarantee 1\nconst a = f()'],
    ['is above a part of an expression', 'f({\n  // guard(one): why, guarantee 1\n  a: 1,\n})'],
    ['is above a comment', '// guard(one): why, guarantee 1\n// more\nf()'],
    ['is above nothing', 'f()\n// guard(one): why, guarantee 1\n'],
    ['is behind the statement', 'f() // guard(one): why, guarantee 1'],
  ])('refuses a mark that %s', (_, source) => {
    write('packages/a/src/x.ts', source)

    expect(() => findGuards(root)).toThrow(/^packages\/a\/src\/x\.ts:\d+: /)
  })
})

describe('removeGuard', () => {
  const mark = '// guard(one): why, guarantee 1'

  it.each([
    ['a call', `${mark}\nf()\ng()`, `${mark}\n;\ng()`],
    ['a condition with its branch', `${mark}\nif (a) throw b\ng()`, `${mark}\n;\ng()`],
    ['a statement of several lines', `${mark}\nf({\n  a,\n})\ng()`, `${mark}\n;\n\n\ng()`],
    ['the other branch of a condition', `if (a) f()\n${mark}\nelse g()`, `if (a) f()\n${mark}\nelse ;`],
    ['what follows umlauts', `const ü = '…'\n${mark}\nf()`, `const ü = '…'\n${mark}\n;`],
  ])('takes out %s, and leaves the lines where they are', (_, source, without) => {
    expect(removeGuard('x.ts', source, 'one')).toBe(without)
  })

  it('leaves a source alone that does not have the guard', () => {
    expect(removeGuard('x.ts', `${mark}\nf()`, 'two')).toBeUndefined()
  })
})
