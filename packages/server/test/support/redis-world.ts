import KeyvRedis from '@keyv/redis'
import KeyvValkey from '@keyv/valkey'
import { Redis } from 'iovalkey'
import { systemClock, type Clock } from '../../src/clock.ts'
import { findRedisClient } from '../../src/registry/redis/find-client.ts'
import { openRedisRegistry, type RedisRegistryOptions } from '../../src/registry/redis/redis-registry.ts'
import type { TagRegistry } from '../../src/registry/tag-registry.ts'
import { RedisProxy } from './redis-proxy.ts'
import { RedisServer, type RedisServerOptions } from './redis-server.ts'

export interface OpenOptions extends RedisRegistryOptions {
  readonly clock?: Clock
  /** @default 'node-redis' */
  readonly library?: 'node-redis' | 'iovalkey'
  readonly report?: (error: unknown) => void
}

/** Redis servers and registries of one test. All of them end with {@link close}. */
export class RedisWorld {
  readonly #closing: (() => Promise<unknown>)[] = []

  async server(options: RedisServerOptions = {}): Promise<RedisServer> {
    const server = await RedisServer.prepare(options)
    this.#closing.push(() => server.stop())
    await server.start()
    return server
  }

  /** In front of a server, for what is lost between it and a process. */
  async proxy(server: RedisServer): Promise<RedisProxy> {
    const proxy = await RedisProxy.listen(server.port)
    this.#closing.push(() => proxy.close())
    return proxy
  }

  /** A process, as far as Redis sees it. */
  registry(url: string, { clock = systemClock, report = fail, library, ...options }: OpenOptions = {}): TagRegistry {
    const client = findRedisClient(
      library === 'iovalkey' ? new KeyvValkey(new Redis(url, { lazyConnect: true })) : new KeyvRedis(url),
    )
    const registry = openRedisRegistry(client!, 'keyv', { clock, report }, options)
    this.#closing.push(() => registry.close())
    return registry
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) await close()
  }
}

function fail(error: unknown): never {
  throw error
}
