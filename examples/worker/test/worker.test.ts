import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import KeyvRedis from '@keyv/redis'
import { createTagInvalidationSystem, type TagInvalidationSystem } from '@query-tags/server'
import { Keyv } from 'keyv'
import { afterEach, describe, expect, it } from 'vitest'
import { hasRedis, RedisServer } from '../../../packages/server/test/support/redis-server.ts'
import { startProcess } from '../../../scripts/start-process.ts'

let redis: RedisServer | undefined
let system: TagInvalidationSystem | undefined
afterEach(async () => {
  await system?.close()
  await redis?.stop()
})

/** Runs the script to its end, which it finds by itself. */
async function run(url: string, ...tags: string[]): Promise<{ code: unknown; errors: string }> {
  const script = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const child = startProcess(process.execPath, ['--conditions=query-tags-source', '--no-warnings', script, ...tags], {
    env: { ...process.env, REDIS_URL: url },
  })
  const [errors, [code]] = await Promise.all([text(child.stderr!), once(child, 'exit'), text(child.stdout!)])
  return { code: code as unknown, errors }
}

describe.skipIf(!hasRedis)('the worker', () => {
  it('reaches the clients of a server with the same Redis, and ends by itself', { timeout: 60_000 }, async () => {
    redis = await RedisServer.start()
    system = createTagInvalidationSystem({ store: new Keyv({ store: new KeyvRedis(redis.url) }) })
    const response = await system.createAPIHandler()(new Request('http://localhost/api/invalidator'))
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let received = (await reader.read()).value
    expect(received).toContain('event: hello')

    const ended = await run(redis.url, 'todos', 'notes')

    expect(ended).toEqual({ code: 0, errors: '' })
    while (!received?.includes('event: invalidate')) received = (await reader.read()).value
    expect(received).toContain('[["todos"],["notes"]]')
    await reader.cancel()
  })

  it('fails, and ends by itself, when Redis is not there', { timeout: 60_000 }, async () => {
    redis = await RedisServer.start()
    const { url } = redis
    await redis.stop()

    const { code, errors } = await run(url, 'todos')

    expect(code).not.toBe(0)
    expect(errors).toContain('registry-unavailable')
  })
})
