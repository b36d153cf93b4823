import type { PlainTag } from '@query-tags/core'

/** A tag as one would write it in the code: `todos.list`, `todos.byId(7)`, `todos.*`, `["notes"]`. */
export function tagText(tag: PlainTag): string {
  if (!('path' in tag)) return JSON.stringify(tag)
  if (!('key' in tag)) {
    if (tag.path === '') return 'everything'
    return 'keys' in tag ? `${tag.path}.*` : `${tag.path}(any)`
  }
  // Keys of the examples' contracts are a name, then the arguments, or the leaf's own name.
  const args = tag.key.slice(1).filter((part) => part !== tag.path.split('.').at(-1))
  return args.length === 0 ? tag.path : `${tag.path}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`
}
