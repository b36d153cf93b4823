import { fromIoRedis, fromIoRedisCluster, type IoRedisClient, type IoRedisCluster } from './ioredis-driver.ts'
import {
  fromNodeRedis,
  fromNodeRedisCluster,
  fromNodeRedisSentinel,
  type NodeRedisClient,
  type NodeRedisCluster,
  type NodeRedisSentinel,
} from './node-redis-driver.ts'
import type { RedisDriver } from './redis-driver.ts'

/** A client of a library that we know, and which one it is. */
export type RedisClient =
  | { readonly kind: 'node-redis'; readonly client: NodeRedisClient }
  | { readonly kind: 'node-redis-cluster'; readonly client: NodeRedisCluster }
  | { readonly kind: 'node-redis-sentinel'; readonly client: NodeRedisSentinel }
  | { readonly kind: 'ioredis'; readonly client: IoRedisClient }
  | { readonly kind: 'ioredis-cluster'; readonly client: IoRedisCluster }

/**
 * The Redis or Valkey client that a Keyv's store holds, if it is one that we can use: node-redis in `KeyvRedis`, iovalkey in `KeyvValkey`,
 * ioredis in others. Known by what it can do, because we depend on none of them.
 */
export function findRedisClient(store: unknown): RedisClient | undefined {
  if (typeof store !== 'object' || store === null) return undefined
  const { client, redis } = store as { readonly client?: unknown; readonly redis?: unknown }
  return recognize(client) ?? recognize(redis)
}

export function toDriver({ kind, client }: RedisClient): RedisDriver {
  switch (kind) {
    case 'node-redis':
      return fromNodeRedis(client)
    case 'node-redis-cluster':
      return fromNodeRedisCluster(client)
    case 'node-redis-sentinel':
      return fromNodeRedisSentinel(client)
    case 'ioredis':
      return fromIoRedis(client)
    case 'ioredis-cluster':
      return fromIoRedisCluster(client)
  }
}

function recognize(client: unknown): RedisClient | undefined {
  if (can<IoRedisClient>(client, 'call', 'duplicate', 'subscribe', 'disconnect') && 'isCluster' in client) {
    const isCluster = client.isCluster && can<IoRedisCluster>(client, 'nodes')
    return isCluster ? { kind: 'ioredis-cluster', client } : { kind: 'ioredis', client }
  }
  if (can<NodeRedisSentinel>(client, 'getSentinelNode', '_execute', 'connect', 'destroy')) {
    return { kind: 'node-redis-sentinel', client }
  }
  if (!can<NodeRedisClient>(client, 'duplicate', 'sendCommand', 'sSubscribe', 'connect', 'destroy')) return undefined
  const isCluster = can<NodeRedisCluster>(client, 'nodeClient')
  return isCluster ? { kind: 'node-redis-cluster', client } : { kind: 'node-redis', client }
}

/** Whether it has these methods of what the caller takes it for. */
function can<T extends object>(client: unknown, ...methods: readonly (keyof T & string)[]): client is T {
  return (
    typeof client === 'object' &&
    client !== null &&
    methods.every((name) => typeof (client as Record<string, unknown>)[name] === 'function')
  )
}
