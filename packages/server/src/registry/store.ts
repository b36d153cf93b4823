import { QueryTagsError } from '@query-tags/core'
import type { Clock } from '../clock.ts'
import { openKeyvRegistry } from './keyv/keyv-registry.ts'
import { findRedisClient } from './redis/find-client.ts'
import { openRedisRegistry } from './redis/redis-registry.ts'
import { isTagRegistry, type TagRegistry } from './tag-registry.ts'

/** What is used of a Keyv, whatever its version and store. */
export interface KeyvStore {
  /** The adapter inside: a `KeyvRedis`, a `KeyvSqlite`, a `Map` … */
  readonly store: unknown
  /** Prefix of every key. */
  readonly namespace?: string | undefined
  get(key: string): Promise<unknown>
  set(key: string, value: unknown, ttlMs?: number): Promise<boolean>
  delete(key: string): Promise<boolean>
  on(event: string, listener: (error: unknown) => void): unknown
}

export interface StoreContext {
  readonly clock: Clock
  /** Takes what goes wrong outside of a call. */
  readonly report: (error: unknown) => void
}

export interface OpenStore {
  readonly registry: TagRegistry
  /** Whether whoever opened it has to close it: a registry that the application made stays the application's. */
  readonly isOwned: boolean
}

/** The registry that a `store` stands for: itself, many processes' if it holds a Redis client, or else one process's. */
export function openStore(store: TagRegistry | KeyvStore, context: StoreContext): OpenStore {
  if (isTagRegistry(store)) return { registry: store, isOwned: false }
  const client = findRedisClient(store.store)
  const registry = client ? openRedisRegistry(client, store.namespace, context) : openKeyvRegistry(store, context)
  return { registry, isOwned: true }
}

/** @throws {QueryTagsError} `invalid-option` */
export function checkStore(store: unknown): asserts store is TagRegistry | KeyvStore | undefined {
  if (store === undefined || isTagRegistry(store) || isKeyvStore(store)) return
  throw new QueryTagsError(
    'invalid-option',
    'store must be left out, for memory; a Keyv, e.g. new Keyv({ store: new KeyvRedis(url) }); or a TagRegistry (record, since, head, subscribe, close)',
  )
}

function isKeyvStore(value: unknown): value is KeyvStore {
  if (typeof value !== 'object' || value === null) return false
  const keyv = value as Partial<Record<keyof KeyvStore, unknown>>
  // A store that is not wrapped in a Keyv has these methods, too, but no store of its own.
  return (
    ['get', 'set', 'delete', 'on'].every((name) => typeof keyv[name as keyof KeyvStore] === 'function') &&
    typeof keyv.store === 'object' &&
    keyv.store !== null
  )
}
