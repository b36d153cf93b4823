import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { defineTags } from '../../src/tags/define-tags.ts'
import { tagsOverlap } from '../../src/tags/overlap.ts'
import type { TagCallable, TagInput } from '../../src/tags/tag.ts'

/** A constant key, `'param'` for a leaf with a parameter, or a branch. Constants may have equal keys; instances of two families do not. */
type Tree = { [name: string]: Tree } | 'x' | 'y' | 'z' | 'param'

const tree = fc.letrec<{ branch: { [name: string]: Tree }; node: Tree }>((tie) => ({
  branch: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('node'), { minKeys: 1, maxKeys: 3 }),
  node: fc.oneof({ maxDepth: 3 }, fc.constantFrom<Tree[]>('x', 'y', 'z', 'param'), tie('branch')),
})).branch

/** What a contract of an unknown shape is at each of its places. */
type Node = TagCallable & { readonly [name: string]: Node }

interface Contract {
  /** Each branch, and the tags of the leaves below it. */
  readonly branches: readonly { readonly group: TagInput; readonly members: readonly TagInput[] }[]
  readonly tags: readonly TagInput[]
}

function toContract(shape: { [name: string]: Tree }): Contract {
  const branches: { group: TagInput; members: TagInput[] }[] = []
  const tags: TagInput[] = [['x'], ['y'], ['z'], ['other']]
  const factories = (node: Tree, path: string): unknown => {
    if (node === 'param') return (id: number) => [path, id]
    if (typeof node === 'string') return () => [node]
    return Object.fromEntries(Object.entries(node).map(([name, child]) => [name, factories(child, `${path}.${name}`)]))
  }
  const collect = (node: Tree, callable: Node): TagInput[] => {
    const call = callable as unknown as (...args: unknown[]) => TagInput
    if (typeof node === 'string') {
      const members = node === 'param' ? [call(1), call(2), callable] : [call(), callable]
      tags.push(...members)
      return members
    }
    const members = Object.entries(node).flatMap(([name, child]) => collect(child, callable[name]!))
    branches.push({ group: call(), members })
    tags.push(call())
    return [...members, call()]
  }
  const contract: unknown = defineTags(factories(shape, '') as object)
  collect(shape, contract as Node)
  return { branches, tags }
}

it('a group hits all that each of its members hits, over typed tags and constant keys', () => {
  fc.assert(
    fc.property(tree, (shape) => {
      const { branches, tags } = toContract(shape)
      for (const { group, members } of branches) {
        const hit = tags.filter((tag) => members.some((member) => tagsOverlap(member, tag)))

        expect(hit.filter((tag) => !tagsOverlap(group, tag))).toEqual([])
      }
    }),
  )
})

it('a group hits each of its members', () => {
  fc.assert(
    fc.property(tree, (shape) => {
      for (const { group, members } of toContract(shape).branches) {
        expect(members.filter((member) => !tagsOverlap(group, member))).toEqual([])
      }
    }),
  )
})

it('two groups overlap only when one is above the other, or they carry an equal key', () => {
  const tags = defineTags({ a: { x: () => ['x'], p: (id: number) => [id] }, b: { p: (id: number) => [id] } })

  // The keys of instances are not known to a group: a key that two families share is hit by the instances only.
  expect(tagsOverlap(tags.a.p(1), tags.b.p(1))).toBe(true)
  expect(tagsOverlap(tags.a(), tags.b.p(1))).toBe(false)
  expect(tagsOverlap(tags.a(), tags.b())).toBe(false)
})
