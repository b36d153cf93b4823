// What defineTags infers and refuses. Compiled by types-matrix.test.ts, never run.
import {
  defineTags,
  TAG_PATH,
  type PlainTag,
  type RawTag,
  type ResolvedTagTree,
  type Tag,
  type TagFactory,
  type TagFamily,
  type TagGroup,
  type TagInput,
  type TagNode,
  type ValidTagFactoryTree,
} from '@query-tags/core'
import { holds, type Equal } from './equal.ts'

interface Filter {
  status: string
  page: number
}

export const appTags = defineTags({
  todos: {
    list: () => ['todos'],
    summary: () => ['todos', 'summary'],
    byId: (id: string) => ['todo', id],
    filtered: (filter: Filter) => ['todos', filter],
    tuple: (a: number, b: string) => ['x', a, b] as const,
  },
  // Names that functions have of their own.
  notes: {
    list: () => ['notes'],
    name: (id: number) => ['n', id],
    length: () => ['len'],
    call: { list: () => ['c'], call: (x: string) => [x] },
    apply: () => ['a'],
    bind: () => ['b'],
    toString: () => ['ts'],
    prototype: () => ['p'],
    constructor: () => ['ctor'],
  },
  name: () => ['root-name'],
  length: { call: () => ['z'] },
  list: () => ['l'],
  'kebab-case': () => ['k'],
})
export type AppTags = typeof appTags

holds<Equal<ReturnType<typeof appTags.todos.byId>, Tag>>()
holds<Equal<Parameters<typeof appTags.todos.byId>, [id: string]>>()
holds<Equal<ReturnType<typeof appTags.todos>, TagGroup>>()
holds<Equal<ReturnType<AppTags>, TagGroup>>()
holds<Equal<(typeof appTags.todos.byId)[typeof TAG_PATH], string>>()
holds<Equal<(typeof appTags)[typeof TAG_PATH], string>>()

export const named: Tag[] = [
  appTags.notes.name(3),
  appTags.notes.length(),
  appTags.notes.call.call('x'),
  appTags.notes.apply(),
  appTags.notes.bind(),
  appTags.notes.toString(),
  appTags.notes.prototype(),
  appTags.notes.constructor(),
  appTags.name(),
  appTags.length.call(),
  appTags.list(),
  appTags['kebab-case'](),
]
export const groups: TagGroup[] = [appTags(), appTags.todos(), appTags.notes.call(), appTags.length()]
export const inputs: TagInput[] = [
  ['todos'],
  ['todo', 7],
  appTags(),
  appTags,
  appTags.todos,
  appTags.todos(),
  appTags.todos.byId,
  appTags.todos.byId('1'),
  appTags.notes.call,
]

const family: TagFamily = { path: 'todos.byId' }
const raw: RawTag = ['todo', 7]
export const plain: PlainTag[] = [appTags.todos.byId('1'), appTags.todos(), family, raw]
// @ts-expect-error an uncalled factory is not plain
export const notPlain: PlainTag = appTags.todos.byId
// @ts-expect-error nor is an uncalled branch
export const notPlainEither: PlainTag = appTags.todos

// @ts-expect-error no such branch
appTags.todo
// @ts-expect-error no such leaf
appTags.todos.byid('1')
// @ts-expect-error the argument's type
appTags.todos.byId(7)
// @ts-expect-error the argument is missing
appTags.todos.byId()
// @ts-expect-error a bare string is no tag
export const bareString: TagInput = 'todos'
// @ts-expect-error an empty array is no tag
export const empty: TagInput = []
// @ts-expect-error a function of your own is no tag
export const foreign: TagInput = () => ['todos']

// @ts-expect-error a dot in a name
defineTags({ 'a.b': () => ['x'] })
// @ts-expect-error an empty name
defineTags({ '': () => ['x'] })
// @ts-expect-error a name that promises look for
defineTags({ a: { then: () => ['x'] } })
// @ts-expect-error undefined in a key
defineTags({ a: { b: (id?: string) => ['x', id] } })
// @ts-expect-error a Date in a key
defineTags({ a: { b: (date: Date) => ['x', date] } })
// @ts-expect-error a bigint in a key
defineTags({ a: { b: (id: bigint) => ['x', id] } })
// @ts-expect-error a string in place of a leaf
defineTags({ a: { b: 'x' } })
// @ts-expect-error an array in place of a leaf
defineTags({ a: { b: ['x'] } })
// @ts-expect-error a leaf that returns a string
defineTags({ a: { b: () => 'x' } })
// @ts-expect-error a leaf that returns nothing but an empty tuple
defineTags({ a: { b: () => [] as const } })

// A generic factory keeps its constraint, not its type parameter.
const generic = defineTags({ kind: <K extends 'a' | 'b'>(kind: K) => ['k', kind] })
export const genericTag: Tag = generic.kind('a')
// @ts-expect-error outside the constraint
generic.kind('c')

// With isolatedDeclarations an app writes the type of its contract.
const contract = { a: { b: () => ['x'], byId: (id: string) => ['x', id] } }
export const annotated: ResolvedTagTree<typeof contract> = defineTags(contract)
export const branch: TagNode<typeof contract.a> = annotated.a
export const leaf: TagFactory<[id: string]> = annotated.a.byId

export const takesTree = (tree: ResolvedTagTree<{ a: { b: () => string[] } }>): Tag => tree.a.b()
takesTree(defineTags({ a: { b: () => ['x'] } }))
export const wrapped = <T extends ValidTagFactoryTree<T>>(factories: T): ResolvedTagTree<T> => defineTags(factories)
export const wrappedTag: Tag = wrapped({ a: { b: () => ['x'] } }).a.b()
