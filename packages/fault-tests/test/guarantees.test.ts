import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

/** The numbered guarantees. A test that shows one quotes its number in its name, or in its `describe`'s. */
const GUARANTEES: Readonly<Record<number, string>> = {
  1: 'no loss: refetched, or everything is taken as invalidated',
  2: 'invalidateTags rejects when it could not record',
  3: 'any doubt is a reset',
  4: 'a position is never reused within an epoch',
  5: 'a cursor advances only after effects, and only over what was written or does not match',
  6: 'the handover from replay to live has no gap and no reorder',
  7: 'a fetch that began before an invalidation never ends fresh',
  8: 'SSR and persisted data are as old as the cursor taken before their reads',
  9: 'a drop is repaired within 2.5 heartbeats, and unverified is never live',
  10: 'bounded memory per connection; a slow backlog merges, then resets',
  11: 'nothing of one scope shows in another',
  12: 'twice, or in either order, ends in the same state',
  13: 'nothing is left after a closed socket, and close() ends',
  14: 'versions N and N-1 work together',
}

const root = fileURLToPath(new URL('../../../', import.meta.url))
const TEST_NAME = /\b(?:it|describe)(?:\.\w+(?:\([^()]*\))?)*\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g
/** In a list of cases the names are those of its fields. */
const CASE_NAME = /^ {2}(['"`])((?:\\.|(?!\1)[^\\])*)\1: /gm
const QUOTE = /\bguarantees? (\d+(?:(?:, | and )\d+)*)/g

interface Named {
  readonly file: string
  readonly name: string
  readonly guarantees: readonly number[]
}

function findTests(): Named[] {
  const tests = ['packages/*/test/**/*.test.{ts,tsx}', 'packages/*/test/*-conformance.ts', 'e2e/*.test.ts']
  return [...findNames(tests, TEST_NAME), ...findNames(['packages/server/src/registry-conformance/*.ts'], CASE_NAME)]
}

function findNames(files: string[], pattern: RegExp): Named[] {
  return globSync(files, { cwd: root, exclude: ['**/node_modules/**'] }).flatMap((file) => {
    const names = [...readFileSync(root + file, 'utf8').matchAll(pattern)].map(([, , name]) => name!)
    return names.map((name) => ({ file, name, guarantees: quotedIn(name) }))
  })
}

function quotedIn(name: string): number[] {
  return [...name.matchAll(QUOTE)].flatMap(([, list]) => list!.split(/, | and /).map(Number))
}

const tests = findTests()

it('reads the numbers that a name quotes', () => {
  expect(quotedIn('says so (guarantee 3), seed %i')).toEqual([3])
  expect(quotedIn('loses nothing (guarantees 1, 7 and 12)')).toEqual([1, 7, 12])
  expect(quotedIn('1 guarantee is not enough')).toEqual([])
})

it.each(Object.entries(GUARANTEES))('guarantee %s has a named test: %s', (number) => {
  const shown = tests.filter(({ guarantees }) => guarantees.includes(Number(number)))

  expect(shown).not.toEqual([])
})

it('no test quotes a guarantee that there is not', () => {
  const unknown = tests.filter(({ guarantees }) => guarantees.some((number) => !(number in GUARANTEES)))

  expect(unknown).toEqual([])
})
