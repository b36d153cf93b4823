import { expect, it } from 'vitest'
import { defineTags } from '../../src/tags/define-tags.ts'
import { type TagInput } from '../../src/tags/tag.ts'
import { toTagKey } from '../../src/tags/tag-key.ts'
import { toPlainTag } from '../../src/tags/to-plain-tag.ts'

const appTags = defineTags({
  todos: { list: () => ['todos'], byId: (id: string) => ['todo', id] },
  notes: { byId: (id: string) => ['note', id] },
})

it.each<[string, TagInput, unknown]>([
  ['a factory with parameters, to every instance', appTags.todos.byId, { path: 'todos.byId' }],
  ['a constant factory, to a group with its key', appTags.todos.list, { path: 'todos.list', keys: [['todos']] }],
  ['a branch, to its group', appTags.todos, { path: 'todos', keys: [['todos']] }],
  ['a branch without constants, to its group', appTags.notes, { path: 'notes', keys: [] }],
  ['the contract, to the group of everything', appTags, { path: '', keys: [['todos']] }],
  ['a tag, to itself', appTags.todos.byId('7'), { path: 'todos.byId', key: ['todo', '7'] }],
  ['a group, to itself', appTags.todos(), { path: 'todos', keys: [['todos']] }],
  ['a raw tag, to itself', ['todo', 7], ['todo', 7]],
])('turns %s', (_what, input, plain) => {
  expect(toPlainTag(input)).toStrictEqual(plain)
})

it('copies, so that later changes of the input do not matter', () => {
  const filter = { page: 1 }
  const tag = toPlainTag(['todos', filter])
  filter.page = 2

  expect(tag).toEqual(['todos', { page: 1 }])
})

it('reads a getter once', () => {
  let reads = 0
  const tag = toPlainTag([
    {
      get n() {
        reads += 1
        return reads
      },
    },
  ])

  expect(tag).toEqual([{ n: 1 }])
  expect(reads).toBe(1)
})

it('leaves out what JSON has no place for: symbols, and fields of arrays', () => {
  const tag = toPlainTag([Object.assign(['x'], { index: 3 }), { a: 1, [Symbol('b')]: 2 }])

  expect(tag).toStrictEqual([['x'], { a: 1 }])
})

it('writes -0 as 0', () => {
  expect(toPlainTag([-0])).toStrictEqual([0])
})

it('keeps an own __proto__, and gives it no effect', () => {
  const tag = toPlainTag([JSON.parse('{"__proto__":{"polluted":true}}')]) as unknown as [Record<string, unknown>]

  expect(Object.keys(tag[0])).toEqual(['__proto__'])
  expect(tag[0]['polluted']).toBeUndefined()
  expect(JSON.stringify(tag)).toBe('[{"__proto__":{"polluted":true}}]')
})

it('freezes at any depth', () => {
  const tag = toPlainTag(['x', { a: [1] }]) as unknown as [string, { a: number[] }]

  expect(Object.isFrozen(tag)).toBe(true)
  expect(Object.isFrozen(tag[1])).toBe(true)
  expect(Object.isFrozen(tag[1].a)).toBe(true)
})

it('leaves the input as it is', () => {
  const input: [string, { a: number }] = ['x', { a: 1 }]
  toPlainTag(input)

  expect(Object.isFrozen(input)).toBe(false)
  expect(Object.isFrozen(input[1])).toBe(false)
})

it('refuses a function that is not of a contract', () => {
  const foreign = (() => ['todos']) as unknown as TagInput

  expect(() => toPlainTag(foreign)).toThrow('Invalid tag () => ["todos"]: a tag comes from defineTags()')
})

it('refuses a branch of a contract inside a key', () => {
  expect(() => toPlainTag(['x', appTags.todos] as never)).toThrow('is not JSON')
})

it('takes the factories of a second copy of this package', async () => {
  const secondCopy = '../../src/tags/define-tags.ts?second'
  const other = (await import(/* @vite-ignore */ secondCopy)) as { defineTags: typeof defineTags }
  const tags = other.defineTags({ todos: { byId: (id: string) => ['todo', id] } })

  expect(other.defineTags).not.toBe(defineTags)
  expect(toPlainTag(tags.todos.byId)).toEqual({ path: 'todos.byId' })
})

it('gives a plain tag back as it is, with the same canonical form as a copy of it', () => {
  const tag = toPlainTag(['x', { b: 1, a: [-0] }])

  expect(toPlainTag(tag)).toBe(tag)
  expect(toTagKey(tag)).toBe(toTagKey(structuredClone(tag)))
})
