import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineTags } from '../../src/tags/define-tags.ts'
import { tagsOverlap } from '../../src/tags/overlap.ts'
import { TagIndex } from '../../src/tags/tag-index.ts'
import type { PlainTag } from '../../src/tags/tag.ts'
import { toTagKey } from '../../src/tags/tag-key.ts'
import { toPlainTag } from '../../src/tags/to-plain-tag.ts'
import { collidingTag } from './arbitraries.ts'
import { counting } from './counting.ts'

const appTags = defineTags({
  todos: { list: () => ['todos'], byId: (id: number) => ['todo', id] },
  notes: { list: () => ['notes'], byId: (id: number) => ['note', id] },
})

/** Owners by tag, matched by asking every tag. */
class BruteForce {
  readonly #tags = new Map<string, { tag: PlainTag; owners: Set<number> }>()

  get size(): number {
    return this.#tags.size
  }

  add(tag: PlainTag, owner: number): void {
    const key = toTagKey(tag)
    const held = this.#tags.get(key) ?? { tag, owners: new Set() }
    held.owners.add(owner)
    this.#tags.set(key, held)
  }

  delete(tag: PlainTag, owner: number): void {
    const held = this.#tags.get(toTagKey(tag))
    held?.owners.delete(owner)
    if (held?.owners.size === 0) this.#tags.delete(toTagKey(tag))
  }

  match(tags: readonly PlainTag[]): number[] {
    const hit = [...this.#tags.values()].filter((held) => tags.some((tag) => tagsOverlap(tag, held.tag)))
    return sorted(hit.flatMap(({ owners }) => [...owners]))
  }

  held(): [PlainTag, number][] {
    return [...this.#tags.values()].flatMap(({ tag, owners }) =>
      [...owners].map((owner): [PlainTag, number] => [tag, owner]),
    )
  }
}

function sorted(owners: Iterable<number>): number[] {
  return [...new Set(owners)].sort((a, b) => a - b)
}

const owner = fc.integer({ min: 0, max: 4 })
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('add' as const), tag: collidingTag, owner }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), tag: collidingTag, owner }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('match' as const), tags: fc.array(collidingTag, { maxLength: 3 }) }),
  },
)
const steps = fc.array(step, { maxLength: 60, size: 'max' })

describe('the index', () => {
  it('answers exactly what asking every tag answers, under any adds and deletes', () => {
    fc.assert(
      fc.property(steps, (todo) => {
        const index = new TagIndex<number>()
        const bruteForce = new BruteForce()
        for (const next of todo) {
          if (next.do !== 'match') {
            index[next.do](next.tag, next.owner)
            bruteForce[next.do](next.tag, next.owner)
          }
          const tags = next.do === 'match' ? next.tags : [next.tag]

          expect(sorted(index.match(tags))).toEqual(bruteForce.match(tags))
          expect(index.size).toBe(bruteForce.size)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('keeps nothing of what was deleted', () => {
    fc.assert(
      fc.property(steps, (todo) => {
        const bruteForce = new BruteForce()
        counting(({ collections }) => {
          const index = new TagIndex<number>()
          const ofTheIndex = [...collections]
          for (const next of todo) {
            if (next.do === 'match') continue
            index[next.do](next.tag, next.owner)
            bruteForce[next.do](next.tag, next.owner)
          }
          for (const [tag, held] of bruteForce.held()) index.delete(tag, held)

          expect(index.size).toBe(0)
          expect(ofTheIndex).not.toHaveLength(0)
          expect(ofTheIndex.map(({ size }) => size)).toEqual(ofTheIndex.map(() => 0))
        })
      }),
    )
  })

  it('finds nothing when it is empty', () => {
    expect(new TagIndex().match([appTags(), ['x']])).toEqual(new Set())
  })

  it('finds nothing for no tags', () => {
    const index = new TagIndex<string>()
    index.add(appTags(), 'a')

    expect(index.match([])).toEqual(new Set())
  })

  it('counts distinct tags, not owners', () => {
    const index = new TagIndex<string>()
    index.add(['x', { a: 1, b: 2 }], 'a')
    index.add(['x', { b: 2, a: 1 }], 'b')

    expect(index.size).toBe(1)
    expect(index.match([['x', { a: 1, b: 2 }]])).toEqual(new Set(['a', 'b']))
  })

  it('keeps a tag until its last owner is gone', () => {
    const index = new TagIndex<string>()
    index.add(['x'], 'a')
    index.add(['x'], 'b')
    index.delete(['x'], 'a')
    index.delete(['x'], 'a')
    index.delete(['x'], 'stranger')

    expect(index.match([['x']])).toEqual(new Set(['b']))

    index.delete(['x'], 'b')

    expect(index.match([['x']])).toEqual(new Set())
    expect(index.size).toBe(0)
  })

  it('forgets an owner added twice with one delete', () => {
    const index = new TagIndex<string>()
    index.add(['x'], 'a')
    index.add(['x'], 'a')
    index.delete(['x'], 'a')

    expect(index.size).toBe(0)
  })

  it('keeps groups of one path apart by their keys', () => {
    const index = new TagIndex<string>()
    index.add({ path: 'a', keys: [['x']] }, 'new contract')
    index.add({ path: 'a', keys: [] }, 'old contract')
    index.delete({ path: 'a', keys: [] }, 'old contract')

    expect(index.match([{ path: 'a.b', key: ['y'] }])).toEqual(new Set(['new contract']))
  })

  it('takes any object as owner', () => {
    const index = new TagIndex<object>()
    const query = {}
    index.add(['x'], query)

    expect([...index.match([['x']])][0]).toBe(query)
  })

  it('refuses a bad tag and is as it was before', () => {
    const index = new TagIndex<string>()
    index.add(['x'], 'a')

    expect(() => index.add([undefined] as never, 'a')).toThrow('undefined is not JSON')
    expect(() => index.match([['x'], [] as never])).toThrow('Invalid tag []')
    expect(index.size).toBe(1)
  })
})

describe('the work of a match', () => {
  const notesById = toPlainTag(appTags.notes.byId)

  /** What matching each tag took, in an index of `size` todos and five notes. */
  function workOf(size: number, tags: readonly PlainTag[]): { hits: number; visited: number; lookups: number }[] {
    return counting((work) => {
      const index = new TagIndex<number>()
      for (let id = 0; id < size; id++) index.add(appTags.todos.byId(id), id)
      for (let id = 0; id < 5; id++) index.add(appTags.notes.byId(id), size + id)
      return tags.map((tag) => {
        work.visited = 0
        work.lookups = 0
        const hits = index.match([tag]).size
        return { hits, visited: work.visited, lookups: work.lookups }
      })
    })
  }

  it('is in the answer and the depth, the same among 100,000 tags as among 1,000', () => {
    const unknown = { path: 'a.b.c.d.e.f.g.h', key: ['x'] }
    const tags = [appTags.todos.byId(7), ['todo', 7], ['nobody'], unknown, appTags.notes(), notesById] as const

    const small = workOf(1_000, tags)
    const large = workOf(100_000, tags)

    expect(large).toEqual(small)
    expect(large.map(({ hits }) => hits)).toEqual([1, 1, 0, 0, 5, 5])
    for (const { hits, visited, lookups } of large) {
      // At most nine paths, one key and one subtree are sought; each answer is one entry with one owner.
      expect(lookups).toBeLessThanOrEqual(11)
      expect(visited).toBeLessThanOrEqual(11 + 2 * hits)
    }
  })

  it('is in the answer for a large group', () => {
    const [work] = workOf(10_000, [appTags.todos()])

    expect(work!.hits).toBe(10_000)
    expect(work!.visited).toBeLessThanOrEqual(11 + 2 * 10_000)
  })

  it('looks once at what many tags share', () => {
    const lookups = counting((work) => {
      const index = new TagIndex<number>()
      index.add(appTags(), 1)
      work.lookups = 0
      index.match(Array.from({ length: 100 }, (_, id) => appTags.todos.byId(id)))
      return work.lookups
    })

    // A key for each, and the three paths above all of them.
    expect(lookups).toBe(103)
  })
})
