import { expect, it } from 'vitest'
import { defineTags } from '../../src/tags/define-tags.ts'
import { toPlainTag } from '../../src/tags/to-plain-tag.ts'
import { withTags } from '../../src/tags/with-tags.ts'

const appTags = defineTags({ todos: { list: () => ['todos'], byId: (id: string) => ['todo', id] } })

function fetchTodos(): string[] {
  return []
}

it('adds tags to the meta of the options, and keeps the options', () => {
  const options = withTags({ queryKey: ['todos'], queryFn: fetchTodos, staleTime: Infinity }, [
    appTags.todos.list(),
    ['raw'],
  ])

  expect(options).toStrictEqual({
    queryKey: ['todos'],
    queryFn: fetchTodos,
    staleTime: Infinity,
    meta: { tags: [{ path: 'todos.list', key: ['todos'] }, ['raw']] },
  })
})

it('adds to tags that are there, and keeps other meta', () => {
  const inner = withTags({ queryKey: ['todos'], meta: { title: 'Todos' } }, [['a']])
  const outer = withTags(inner, [['b']])

  expect(outer.meta).toEqual({ title: 'Todos', tags: [['a'], ['b']] })
})

it('leaves the options that it was given as they are', () => {
  const meta = { tags: [['a'] as const] }
  const options = { queryKey: ['todos'], meta }
  withTags(options, [['b']])

  expect(options).toEqual({ queryKey: ['todos'], meta: { tags: [['a']] } })
  expect(options.meta).toBe(meta)
})

it('stores an uncalled factory as { path }', () => {
  expect(withTags({ queryKey: ['todo'] }, [appTags.todos.byId]).meta.tags).toStrictEqual([{ path: 'todos.byId' }])
})

it('stores an uncalled constant, and an uncalled branch, as the group with their keys', () => {
  expect(withTags({ queryKey: ['todo'] }, [appTags.todos.list, appTags.todos]).meta.tags).toStrictEqual([
    { keys: [['todos']], path: 'todos.list' },
    { keys: [['todos']], path: 'todos' },
  ])
})

it('stores plain JSON, which survives dehydrate and persist', () => {
  const inputs = [
    appTags,
    appTags.todos.byId,
    appTags.todos.byId('7'),
    appTags.todos.list,
    ['x', { a: [null, 1.5, -0] }],
  ] as const
  const { meta } = withTags({ queryKey: ['todo'] }, inputs)
  const restored = JSON.parse(JSON.stringify(meta)) as typeof meta

  expect(restored).toStrictEqual(meta)
  expect(restored.tags.map(toPlainTag)).toStrictEqual(meta.tags)
})

it('takes no tags', () => {
  expect(withTags({ queryKey: ['todo'] }, []).meta).toEqual({ tags: [] })
})

it('takes options whose meta is undefined', () => {
  expect(withTags({ queryKey: ['todo'], meta: undefined as { title: string } | undefined }, [['a']]).meta).toEqual({
    tags: [['a']],
  })
})

it('refuses a bad tag', () => {
  expect(() => withTags({ queryKey: ['todo'] }, [['todo', undefined] as never])).toThrow(
    'Invalid tag ["todo",undefined]: undefined is not JSON',
  )
})

it('refuses one raw tag where a list of tags is due', () => {
  expect(() => withTags({ queryKey: ['todos'] }, ['todos'] as never)).toThrow('Invalid tag "todos"')
})

it('refuses bad tags that are in meta already', () => {
  expect(() => withTags({ queryKey: ['todos'], meta: { tags: ['todos'] } }, [['a']])).toThrow('Invalid tag "todos"')
})

it('turns factories that are in meta already into their plain form', () => {
  const { meta } = withTags({ queryKey: ['todos'], meta: { tags: [appTags.todos.byId] } }, [])

  expect(meta.tags).toEqual([{ path: 'todos.byId' }])
})
