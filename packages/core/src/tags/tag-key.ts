import { canonicalJson, isPlainObject, MAX_JSON_DEPTH, show } from '../json.ts'
import { invalidTag, isTagPath, MAX_GROUP_BYTES, MAX_TAG_BYTES, PATH_RULE, type PlainTag } from './tag.ts'

/**
 * A tag, checked and taken apart once: what logs, overlap and the index look at. A tag has keys (one of its own, or those of a group's
 * constants) and, unless raw, a place in the tree: a point (an instance) or a whole subtree (a group or family).
 */
export interface TagForm {
  /** The canonical form of the whole tag, see {@link toTagKey}. */
  readonly id: string
  readonly path: string | undefined
  readonly subtree: boolean
  /** Canonical JSON of each key. */
  readonly keys: readonly string[]
}

/**
 * The canonical form of a tag: JSON with sorted object keys, and for a group its keys sorted and each once. Two tags are the same in a log, a
 * backlog or a watch list when this string is equal; it is also exactly how a tag is written on the wire. This file is the only place
 * where a tag becomes a string.
 *
 * @throws {QueryTagsError} `invalid-tag` for anything that is not a well-formed plain tag within `TAG_LIMITS`.
 */
export function toTagKey(tag: PlainTag): string {
  return toTagForm(tag).id
}

/**
 * Forms of tags that can't change any more, see `toPlainTag`: each is looked at by many, and often. Only a cache; two copies of this package
 * have one each.
 */
export const knownForms: WeakMap<PlainTag, TagForm> = new WeakMap()

/** @throws {QueryTagsError} `invalid-tag`, as {@link toTagKey} */
export function toTagForm(tag: PlainTag): TagForm {
  return knownForms.get(tag) ?? checkForm(tag)
}

function checkForm(tag: PlainTag): TagForm {
  const form = readForm(tag)
  const maxBytes = form.subtree ? MAX_GROUP_BYTES : MAX_TAG_BYTES
  // A UTF-16 unit takes at most three bytes, so most forms need no counting.
  if (form.id.length * 3 > maxBytes && new TextEncoder().encode(form.id).length > maxBytes) {
    throw invalidTag(tag, `it is over ${maxBytes} bytes of JSON; use a shorter key, such as a hash`)
  }
  return form
}

function readForm(tag: unknown): TagForm {
  if (Array.isArray(tag)) {
    const key = keyJson(tag, tag)
    return { id: key, path: undefined, subtree: false, keys: [key] }
  }
  if (isPlainObject(tag) && typeof tag['path'] === 'string') {
    const { path, key, keys } = tag
    if (!isTagPath(path)) throw invalidTag(tag, PATH_RULE)
    const fields = Object.keys(tag).sort().join()
    const held = fields === 'path' ? [] : fields === 'key,path' ? [key] : fields === 'keys,path' ? keys : undefined
    if (Array.isArray(held)) {
      // Sorted and each once, so that a group has one canonical form however its tree was written.
      const all = [...new Set(Array.from(held, (each) => keyJson(each, tag)))].sort()
      const json = all.join()
      const before = key ? `"key":${json},` : keys ? `"keys":[${json}],` : ''
      // A path holds no character that JSON would escape.
      return { id: `{${before}"path":"${path}"}`, path, subtree: !key, keys: all }
    }
  }
  throw invalidTag(tag, 'a tag comes from defineTags(), or is a non-empty array of JSON values')
}

function keyJson(key: unknown, tag: unknown): string {
  if (!Array.isArray(key) || key.length === 0) throw invalidTag(tag, 'a key is a non-empty array of JSON values')
  return canonicalJson(key, (value, tooDeep) => {
    throw invalidTag(
      tag,
      tooDeep ? `it is over ${MAX_JSON_DEPTH} levels deep, or cyclic` : `${show(value)} is not JSON`,
    )
  })
}
