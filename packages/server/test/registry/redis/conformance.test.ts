import KeyvRedis from '@keyv/redis'
import KeyvValkey from '@keyv/valkey'
import { afterAll, beforeAll, describe } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import { findRedisClient } from '../../../src/registry/redis/find-client.ts'
import { openRedisRegistry } from '../../../src/registry/redis/redis-registry.ts'
import { describeRegistry, type RegistryUnderTest } from '../../registry-conformance.ts'
import { hasRedis, RedisServer } from '../../support/redis-server.ts'

function fail(error: unknown): never {
  throw error
}

describe.skipIf(!hasRedis)('over a real Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await RedisServer.start()
  })
  afterAll(() => server.stop())

  /** Each on a Redis without data. */
  const over =
    (toStore: (url: string) => unknown) =>
    async (maxTagsPerScope?: number): Promise<RegistryUnderTest> => {
      await server.cli('FLUSHALL')
      const client = findRedisClient(toStore(server.url))!
      const options = maxTagsPerScope === undefined ? {} : { maxTagsPerScope }
      const registry = openRedisRegistry(client, 'keyv', { clock: systemClock, report: fail }, options)
      return { registry, elapse: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) }
    }

  const [overNodeRedis, overIovalkey] = [over((url) => new KeyvRedis(url)), over((url) => new KeyvValkey(url))]
  describeRegistry('the Redis registry over node-redis', () => overNodeRedis(), overNodeRedis)
  describeRegistry('the Redis registry over iovalkey', () => overIovalkey(), overIovalkey)
})
