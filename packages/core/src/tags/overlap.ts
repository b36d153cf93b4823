import type { PlainTag, TagInput } from './tag.ts'
import { toKeyString } from './tag-key.ts'
import { toPlainTag } from './to-plain-tag.ts'

/**
 * What overlap looks at. A tag has keys (one of its own, or those of a group's constants) and, unless raw, a place in the tree: a point
 * (an instance) or a whole subtree (a group or family).
 */
export interface TagShape {
  readonly path: string | undefined
  readonly subtree: boolean
  readonly keys: readonly string[]
}

export function tagShape(tag: PlainTag): TagShape {
  if (!('path' in tag)) return { path: undefined, subtree: false, keys: [toKeyString(tag)] }
  if ('key' in tag) return { path: tag.path, subtree: false, keys: [toKeyString(tag.key)] }
  return { path: tag.path, subtree: true, keys: 'keys' in tag ? tag.keys.map(toKeyString) : [] }
}

/**
 * Whether an invalidation of one tag hits a query with the other. True when they share a key, at any path, typed or raw; or when one is a
 * group or family at or above the other in the tree. Reflexive and symmetric.
 *
 * @throws {QueryTagsError} `invalid-tag`
 */
export function tagsOverlap(a: TagInput, b: TagInput): boolean {
  return shapesOverlap(tagShape(toPlainTag(a)), tagShape(toPlainTag(b)))
}

function shapesOverlap(a: TagShape, b: TagShape): boolean {
  return a.keys.some((key) => b.keys.includes(key)) || covers(a, b) || covers(b, a)
}

function covers(above: TagShape, below: TagShape): boolean {
  if (!above.subtree || above.path === undefined || below.path === undefined) return false
  return above.path === '' || below.path === above.path || below.path.startsWith(`${above.path}.`)
}
