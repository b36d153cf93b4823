import { afterEach, describe, expect, it } from 'vitest'
import { ACL_RULE } from '../../../src/registry/redis/permissions.ts'
import type { Recorded } from '../../../src/registry/tag-registry.ts'
import { hasRedis } from '../../support/redis-server.ts'
import { RedisWorld } from '../../support/redis-world.ts'

const world = new RedisWorld()
afterEach(() => world.close())

/** A server with a user that has these rules, and the URL to connect as that user. */
async function serverWithUser(...rules: readonly string[]): Promise<string> {
  const server = await world.server()
  await server.cli('ACL', 'SETUSER', 'app', 'on', '>secret', ...rules)
  return `redis://app:secret@127.0.0.1:${server.port}`
}

describe.skipIf(!hasRedis)('what a Redis user needs', () => {
  it('is the rule that is printed, and it is enough', async () => {
    const reported: unknown[] = []
    const registry = world.registry(await serverWithUser(...ACL_RULE.split(' ')), {
      report: (error) => reported.push(error),
      maxTagsPerScope: 1,
    })
    const heard: Recorded[] = []
    await registry.subscribe('s', (recorded) => heard.push(recorded))

    await registry.record('s', [['a']])
    const head = await registry.record('s', [['b']])

    await expect.poll(() => heard.length).toBe(2)
    expect(await registry.since('s', head)).toMatchObject({ entries: [] })
    expect(reported).toEqual([])
  })

  it.each(ACL_RULE.split(' '))('is all of it: without %s an error names the rule', async (missing) => {
    const rules = ACL_RULE.split(' ').filter((rule) => rule !== missing)
    const reported: unknown[] = []
    const registry = world.registry(await serverWithUser(...rules), { report: (error) => reported.push(error) })

    const tryAll = async (): Promise<void> => {
      await registry.subscribe('s', () => undefined)
      const head = await registry.record('s', [['a']])
      await registry.since('s', head)
    }

    await tryAll().catch((error: unknown) => reported.push(error))
    await expect.poll(() => reported.map(String).join('\n')).toContain(ACL_RULE)
  })
})
