import { QueryTagsError } from '@query-tags/core'
import type { StoreContext } from '../store.ts'
import type { TagRegistry } from '../tag-registry.ts'

/** The Redis or Valkey client that a Keyv's store holds, if it is one that we can use. */
export function findRedisClient(_store: unknown): object | undefined {
  return undefined
}

/** A registry that many processes share. */
export function openRedisRegistry(
  _client: object,
  _namespace: string | undefined,
  _context: StoreContext,
): TagRegistry {
  throw new QueryTagsError('invalid-option', 'store: Redis is not supported yet; leave it out, or pass a TagRegistry')
}
