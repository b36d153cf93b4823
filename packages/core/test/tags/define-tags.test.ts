import { describe, expect, it, vi } from 'vitest'
import { QueryTagsError } from '../../src/errors.ts'
import { defineTags } from '../../src/tags/define-tags.ts'
import { TAG_PATH } from '../../src/tags/tag.ts'
import { toPlainTag } from '../../src/tags/to-plain-tag.ts'
import * as module from './fixtures/branch-module.ts'

const appTags = defineTags({
  todos: {
    list: () => ['todos'],
    summary: () => ['todos', 'summary'],
    byId: (id: string) => ['todo', id],
    filtered: (filter: { status: string; page: number }) => ['todos', filter],
  },
  notes: { byId: (id: number) => ['note', id] },
})

describe('a contract', () => {
  it('makes plain tags from its leaves', () => {
    expect(appTags.todos.byId('7')).toEqual({ path: 'todos.byId', key: ['todo', '7'] })
    expect(appTags.todos.list()).toEqual({ path: 'todos.list', key: ['todos'] })
    expect(appTags.todos.filtered({ status: 'open', page: 2 })).toEqual({
      path: 'todos.filtered',
      key: ['todos', { page: 2, status: 'open' }],
    })
  })

  it('makes a group of each branch, with the keys of its constants in canonical order', () => {
    expect(appTags.todos()).toEqual({ path: 'todos', keys: [['todos', 'summary'], ['todos']] })
    expect(appTags.notes()).toEqual({ path: 'notes', keys: [] })
    expect(appTags()).toEqual({ path: '', keys: [['todos', 'summary'], ['todos']] })
  })

  it('says the path of every factory and branch', () => {
    expect(appTags[TAG_PATH]).toBe('')
    expect(appTags.todos[TAG_PATH]).toBe('todos')
    expect(appTags.todos.byId[TAG_PATH]).toBe('todos.byId')
  })

  it('lists its children as own properties, in the order of the tree', () => {
    expect(Object.keys(appTags)).toEqual(['todos', 'notes'])
    expect(Object.keys(appTags.todos)).toEqual(['list', 'summary', 'byId', 'filtered'])
  })

  it('carries equal keys of several constants once', () => {
    const tags = defineTags({ a: { one: () => ['x'], two: () => ['x'], deep: { three: () => ['x'] } } })

    expect(tags.a()).toEqual({ path: 'a', keys: [['x']] })
  })

  it('has one group however the tree is ordered', () => {
    const one = defineTags({ a: () => ['x'], b: () => ['y'] })
    const other = defineTags({ b: () => ['y'], a: () => ['x'] })

    expect(JSON.stringify(one())).toBe(JSON.stringify(other()))
  })

  it('takes branches without prototype, and module namespaces', () => {
    const branch = Object.assign(Object.create(null) as object, { list: () => ['x'] })

    expect(defineTags({ branch }).branch.list()).toEqual({ path: 'branch.list', key: ['x'] })
    expect(defineTags({ module }).module.byId(1)).toEqual({ path: 'module.byId', key: ['x', 1] })
  })

  it('covers everything with an empty tree', () => {
    expect(defineTags({})()).toEqual({ path: '', keys: [] })
  })
})

describe('names that functions have', () => {
  const tags = defineTags({
    name: () => ['root-name'],
    length: { call: () => ['z'] },
    notes: {
      name: (id: number) => ['n', id],
      length: () => ['len'],
      call: { list: () => ['c'], call: (x: string) => [x] },
      apply: () => ['a'],
      bind: () => ['b'],
      toString: () => ['ts'],
      prototype: () => ['p'],
      constructor: () => ['ctor'],
      hasOwnProperty: () => ['own'],
      arguments: () => ['args'],
      caller: () => ['caller'],
    },
    list: () => ['l'],
    'kebab-case': () => ['k'],
    $_9: () => ['$'],
    日本語: () => ['ja'],
    การ์ด: () => ['th'],
  })

  it.each([
    [tags.name(), 'name', ['root-name']],
    [tags.length.call(), 'length.call', ['z']],
    [tags.notes.name(3), 'notes.name', ['n', 3]],
    [tags.notes.length(), 'notes.length', ['len']],
    [tags.notes.call.list(), 'notes.call.list', ['c']],
    [tags.notes.call.call('x'), 'notes.call.call', ['x']],
    [tags.notes.apply(), 'notes.apply', ['a']],
    [tags.notes.bind(), 'notes.bind', ['b']],
    [tags.notes.toString(), 'notes.toString', ['ts']],
    [tags.notes.prototype(), 'notes.prototype', ['p']],
    [tags.notes.constructor(), 'notes.constructor', ['ctor']],
    [tags.notes.hasOwnProperty(), 'notes.hasOwnProperty', ['own']],
    [tags.notes.arguments(), 'notes.arguments', ['args']],
    [tags.notes.caller(), 'notes.caller', ['caller']],
    [tags.list(), 'list', ['l']],
    [tags['kebab-case'](), 'kebab-case', ['k']],
    [tags.$_9(), '$_9', ['$']],
    [tags.日本語(), '日本語', ['ja']],
    [tags.การ์ด(), 'การ์ด', ['th']],
  ])('%j is an ordinary leaf', (tag, path, key) => {
    expect(tag).toEqual({ path, key })
  })

  it('leave the groups callable', () => {
    expect(tags.length()).toEqual({ path: 'length', keys: [['z']] })
    expect(tags.notes.call()).toEqual({ path: 'notes.call', keys: [['c']] })
  })
})

describe('constants', () => {
  it('are called once, when the contract is defined, and again only when the app does', () => {
    const list = vi.fn<() => string[]>(() => ['todos'])
    const tags = defineTags({ todos: { list } })
    tags.todos()
    toPlainTag(tags.todos.list)

    expect(list).toHaveBeenCalledTimes(1)

    tags.todos.list()

    expect(list).toHaveBeenCalledTimes(2)
  })

  it('are functions without required parameters, so defaults and rest parameters count', () => {
    const tags = defineTags({
      a: { page: (page: number = 1) => ['page', page], many: (...ids: string[]) => ['many', ...ids] },
    })

    expect(tags.a()).toEqual({ path: 'a', keys: [['many'], ['page', 1]] })
    expect(tags.a.many('x', 'y')).toEqual({ path: 'a.many', key: ['many', 'x', 'y'] })
  })
})

describe('tags and groups can not be changed', () => {
  it('through what a factory was given', () => {
    const filter = { status: 'open', page: 1 }
    const tag = appTags.todos.filtered(filter)
    filter.page = 2

    expect(tag.key).toEqual(['todos', { page: 1, status: 'open' }])
  })

  it('through what a factory returned', () => {
    const key = ['x']
    const tags = defineTags({ list: () => key })
    key.push('y')

    expect(tags()).toEqual({ path: '', keys: [['x']] })
  })

  it('themselves, at any depth', () => {
    const group = appTags.todos() as unknown as { keys: string[][] }
    const tag = appTags.todos.filtered({ status: 'open', page: 1 }) as unknown as { key: [string, { page: number }] }

    expect(() => group.keys.push(['x'])).toThrow(TypeError)
    expect(() => group.keys[0]!.push('x')).toThrow(TypeError)
    expect(() => (tag.key[1].page = 2)).toThrow(TypeError)
  })

  it('nor can the contract', () => {
    expect(() => Object.assign(appTags.todos, { list: () => ['other'] })).toThrow(TypeError)
    expect(() => Object.assign(appTags.todos, { added: () => ['other'] })).toThrow(TypeError)
  })
})

describe('defineTags refuses, with the path', () => {
  const tooManyConstants = Object.fromEntries(
    Array.from({ length: 20 }, (_, n) => [`constant${n}`, () => [`${n}-${'x'.repeat(900)}`]]),
  )
  const nameRule =
    'a path has at most 8 names, 200 characters; names are letters, digits, _, $ and -, not __proto__ or then'
  const deep = { a: { b: { c: { d: { e: { f: { g: { h: { i: (x: string) => [x] } } } } } } } } }

  it.each([
    ['an empty name', { a: { '': () => ['x'] } }, `Invalid tag "": ${nameRule} (at "a.")`],
    ['a name with a dot', { a: { 'b.c': () => ['x'] } }, `Invalid tag "b.c": ${nameRule} (at "a.b.c")`],
    ['a name with a space', { 'a b': {} }, `Invalid tag "a b": ${nameRule} (at "a b")`],
    ['a name with a line break', { 'a\n': {} }, `Invalid tag "a\\n": ${nameRule} (at "a\n")`],
    ['half a surrogate pair', { '\ud800': {} }, `Invalid tag "\\ud800": ${nameRule} (at "\ud800")`],
    // oxlint-disable-next-line unicorn/no-thenable -- the case
    ['then', { a: { then: () => ['x'] } }, `Invalid tag "then": ${nameRule} (at "a.then")`],
    ['__proto__', { ['__proto__']: () => ['x'] }, `Invalid tag "__proto__": ${nameRule} (at "__proto__")`],
    [
      'a branch that is a prototype',
      { a: { __proto__: { x: () => ['x'] } } },
      '"a" must be a function or an object of functions',
    ],
    ['nine names', deep, `Invalid tag {"path":"a.b.c.d.e.f.g.h.i"}: ${nameRule}`],
    ['201 characters', { a: { ['b'.repeat(199)]: {} } }, nameRule],
    ['a string for a leaf', { a: { b: 'x' } }, 'Invalid tag "x": "a.b" must be a function or an object of functions'],
    [
      'an array for a leaf',
      { a: { b: ['x'] } },
      'Invalid tag ["x"]: "a.b" must be a function or an object of functions',
    ],
    ['null for a branch', { a: null }, 'Invalid tag null: "a" must be a function or an object of functions'],
    ['a Map for a branch', { a: new Map() }, 'Invalid tag <Map>: "a" must be a function or an object of functions'],
    ['no tree', undefined, 'Invalid tag undefined: "" must be a function or an object of functions'],
    ['a function for the tree', () => ['x'], '"" must be a function or an object of functions'],
    ['a constant that is a string', { a: () => 'x' }, 'Invalid tag {"key":"x","path":"a"}: a key is a non-empty array'],
    ['an empty constant', { a: () => [] }, 'Invalid tag {"key":[],"path":"a"}: a key is a non-empty array'],
    [
      'an undefined part',
      { a: () => ['x', undefined] },
      'Invalid tag {"key":["x",undefined],"path":"a"}: undefined is not JSON',
    ],
    ['a promise', { a: async () => ['x'] }, 'Invalid tag {"key":<Promise>,"path":"a"}: a key is a non-empty array'],
    ['a group over 16 KiB', { a: { b: tooManyConstants } }, '"path":"a.b"}: it is over 16384 bytes of JSON'],
  ])('%s', (_what, tree, message) => {
    const define = (): unknown => defineTags(tree as never)

    expect(define).toThrow(QueryTagsError)
    expect(define).toThrow(message)
    expect(define).toThrow(expect.objectContaining({ code: 'invalid-tag' }))
  })

  it('nothing at exactly eight names and 200 characters', () => {
    const eight = defineTags({ a: { b: { c: { d: { e: { f: { g: { h: () => ['x'] } } } } } } } })
    const long = defineTags({ a: { ['b'.repeat(198)]: () => ['x'] } })

    expect(eight.a.b.c.d.e.f.g.h().path).toBe('a.b.c.d.e.f.g.h')
    expect(long.a()).toEqual({ path: 'a', keys: [['x']] })
  })

  it('a bad argument when the factory is called with it', () => {
    expect(() => appTags.notes.byId(Number.NaN)).toThrow(
      'Invalid tag {"key":["note",NaN],"path":"notes.byId"}: NaN is not JSON',
    )
    expect(() => appTags.todos.byId(undefined as never)).toThrow('undefined is not JSON')
  })

  it('nothing of what a factory itself throws', () => {
    expect(() => defineTags({ many: (...ids: string[]) => [ids[0]!.toUpperCase()] })).toThrow(TypeError)
  })
})
