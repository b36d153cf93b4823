import KeyvRedis from '@keyv/redis'
import KeyvValkey from '@keyv/valkey'
import { Keyv } from 'keyv'
import { afterAll, beforeAll, describe } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import { openStore } from '../../../src/registry/store.ts'
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

  const over = (toStore: (url: string) => Keyv) => async (): Promise<RegistryUnderTest> => {
    await server.cli('FLUSHALL')
    const { registry } = openStore(toStore(server.url), { clock: systemClock, report: fail })
    return { registry, elapse: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) }
  }

  describeRegistry(
    'the Redis registry over node-redis',
    over((url) => new Keyv({ store: new KeyvRedis(url) })),
  )
  describeRegistry(
    'the Redis registry over iovalkey',
    over((url) => new Keyv({ store: new KeyvValkey(url) })),
  )
})
