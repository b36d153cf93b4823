import type { TagInput } from './tag.ts'
import { toTagForm, type TagForm } from './tag-key.ts'
import { toPlainTag } from './to-plain-tag.ts'

/**
 * Whether an invalidation of one tag hits a query with the other. True when they share a key, at any path, typed or raw; or when one is a
 * group or family at or above the other in the tree. Reflexive and symmetric.
 *
 * @throws {QueryTagsError} `invalid-tag`
 *
 * @example
 * ```ts
 * tagsOverlap(appTags.todos(), appTags.todos.byId('7')) // true
 * tagsOverlap(appTags.todos.byId('7'), ['todo', '7']) // true: the same key
 * tagsOverlap(['todos'], ['todos', 'summary']) // false: exact, never prefix
 * ```
 */
export function tagsOverlap(a: TagInput, b: TagInput): boolean {
  const [left, right] = [toTagForm(toPlainTag(a)), toTagForm(toPlainTag(b))]
  return left.keys.some((key) => right.keys.includes(key)) || covers(left, right) || covers(right, left)
}

function covers(above: TagForm, below: TagForm): boolean {
  if (!above.subtree || above.path === undefined || below.path === undefined) return false
  return above.path === '' || below.path === above.path || below.path.startsWith(`${above.path}.`)
}
