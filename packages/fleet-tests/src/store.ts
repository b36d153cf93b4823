import KeyvRedis from '@keyv/redis'
import { createMemoryRegistry, type KeyvStore, type TagRegistry } from '@query-tags/server'
import { Keyv } from 'keyv'

/** What a server process keeps its invalidations in. */
export type StoreConfig =
  | { readonly kind: 'redis'; readonly url: string }
  | { readonly kind: 'cluster'; readonly urls: readonly string[] }
  /** Of one process, as when somebody forgot the store. */
  | { readonly kind: 'memory' }
  /** Acknowledges every tenth invalidation without recording it. */
  | { readonly kind: 'forgetful' }

export function openStore(config: StoreConfig): KeyvStore | TagRegistry {
  if (config.kind === 'memory') return createMemoryRegistry()
  if (config.kind === 'forgetful') return forgetfulRegistry()
  if (config.kind === 'redis') return new Keyv({ store: new KeyvRedis(config.url) })
  return new Keyv({ store: new KeyvRedis({ rootNodes: config.urls.map((url) => ({ url })) }) })
}

/** Shows that the checker finds what is lost. */
function forgetfulRegistry(): TagRegistry {
  const registry = createMemoryRegistry()
  let calls = 0
  return {
    record: (scope, tags) => (++calls % 10 === 0 ? registry.head(scope) : registry.record(scope, tags)),
    since: (scope, after) => registry.since(scope, after),
    head: (scope) => registry.head(scope),
    subscribe: (scope, listener) => registry.subscribe(scope, listener),
    close: () => registry.close(),
  }
}
