import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineTags } from '../../src/tags/define-tags.ts'
import { tagsOverlap } from '../../src/tags/overlap.ts'
import type { TagInput } from '../../src/tags/tag.ts'
import { collidingTag } from './arbitraries.ts'

const appTags = defineTags({
  todos: {
    list: () => ['todos'],
    summary: () => ['todos', 'summary'],
    byId: (id: string | number) => ['todo', id],
    by: { owner: (id: string) => ['todos', { owner: id }] },
  },
  todosArchive: { list: () => ['archive'] },
  notes: { list: () => ['notes'], all: () => ['todos'], byId: (id: string) => ['note', id] },
})
const { todos, todosArchive, notes } = appTags

describe('overlap', () => {
  it.each<[string, TagInput, TagInput]>([
    ['equal instances', todos.byId('7'), todos.byId('7')],
    ['an instance and its family', todos.byId('7'), todos.byId],
    ['an instance and the group of its branch', todos.byId('7'), todos()],
    ['an instance and its branch, uncalled', todos.byId('7'), todos],
    ['an instance and everything', todos.byId('7'), appTags()],
    ['an instance deeper down and the group above', todos.by.owner('me'), todos()],
    ['a family and the group above', todos.byId, todos()],
    ['a group and the group above', todos.by(), todos()],
    ['a group and everything', todos(), appTags],
    ['a constant, called and uncalled', todos.list(), todos.list],
    ['an instance and a raw tag with its key', todos.byId('7'), ['todo', '7']],
    ['a constant and a raw tag with its key', todos.list(), ['todos']],
    ['an uncalled constant and a raw tag with its key', todos.list, ['todos']],
    ['a group and a raw tag with the key of a constant below', todos(), ['todos', 'summary']],
    ['everything and a raw tag with the key of a constant', appTags, ['notes']],
    ['instances with equal keys at two paths', todos.list(), notes.all()],
    ['a group and an instance elsewhere with the key of a constant below', todos(), notes.all()],
    ['two groups that carry an equal key', todos(), notes()],
    ['keys that are equal in another order', todos.by.owner('me'), ['todos', { owner: 'me' }]],
    ['equal raw tags', [{ a: 1, b: [2] }], [{ b: [2], a: 1 }]],
    ['0 and -0', ['todo', 0], ['todo', -0]],
  ])('holds between %s', (_what, a, b) => {
    expect(tagsOverlap(a, b)).toBe(true)
    expect(tagsOverlap(b, a)).toBe(true)
  })

  it.each<[string, TagInput, TagInput]>([
    ['two instances of one family', todos.byId('7'), todos.byId('8')],
    ['5 and "5"', todos.byId(5), todos.byId('5')],
    ['raw 5 and "5"', ['todo', 5], ['todo', '5']],
    ['a raw tag and a longer one', ['todos'], ['todos', 'summary']],
    ['an instance and a raw tag that its key begins with', todos.byId('7'), ['todo']],
    ['a family and a raw tag with the key of an instance', todos.byId, ['todo', '7']],
    ['a group and a raw tag with the key of an instance below', todos(), ['todo', '7']],
    ['everything and a raw tag with another key', appTags, ['unknown']],
    ['two leaves of one branch', todos.list(), todos.summary()],
    ['a family and another leaf', todos.byId, todos.list()],
    ['two branches', todos.by(), notes()],
    ['a branch and one whose name begins alike', todos.by(), todosArchive()],
    ['an instance below a branch whose name begins alike', todos.by, todosArchive.list()],
    ['a raw tag and one in another order', ['a', 'b'], ['b', 'a']],
    ['a raw tag and one nested deeper', ['a'], [['a']]],
  ])('does not hold between %s', (_what, a, b) => {
    expect(tagsOverlap(a, b)).toBe(false)
    expect(tagsOverlap(b, a)).toBe(false)
  })

  it('is reflexive', () => {
    fc.assert(
      fc.property(collidingTag, (tag) => {
        expect(tagsOverlap(tag, tag)).toBe(true)
      }),
    )
  })

  it('is symmetric', () => {
    fc.assert(
      fc.property(collidingTag, collidingTag, (a, b) => {
        expect(tagsOverlap(a, b)).toBe(tagsOverlap(b, a))
      }),
    )
  })

  it('refuses what is no tag', () => {
    expect(() => tagsOverlap(['x'], [] as never)).toThrow('Invalid tag []')
  })
})
