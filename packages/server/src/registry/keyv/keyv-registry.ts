import { QueryTagsError } from '@query-tags/core'
import type { KeyvStore, StoreContext } from '../store.ts'
import type { TagRegistry } from '../tag-registry.ts'

/** A registry that outlives its process, for one process at a time. */
export function openKeyvRegistry(_keyv: KeyvStore, _context: StoreContext): TagRegistry {
  throw new QueryTagsError('invalid-option', 'store: a Keyv is not supported yet; leave it out, or pass a TagRegistry')
}
