import { describe, expect, it } from 'vitest'
import { hasRedis, RedisServer } from './redis-server.ts'

describe.skipIf(!hasRedis)('a redis-server of a test', () => {
  it('has, once promoted, what its master had', async () => {
    const [master, replica] = [await RedisServer.start(), await RedisServer.start()]
    await master.cli('SET', 'x', '1')
    await replica.replicate(master)
    await master.kill()
    await replica.promote()

    expect(await replica.cli('GET', 'x')).toBe('1')

    await Promise.all([master.stop(), replica.stop()])
  })
})
