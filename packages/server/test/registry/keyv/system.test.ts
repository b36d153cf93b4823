import { Keyv } from 'keyv'
import { afterEach, expect, it } from 'vitest'
import { createTagInvalidationSystem } from '../../../src/create-system.ts'
import type { TagInvalidationSystem } from '../../../src/tag-invalidation-system.ts'
import { openSink, type TestSink } from '../../support/test-sink.ts'
import { toRequest } from '../../support/world.ts'

const systems: TagInvalidationSystem[] = []
afterEach(async () => {
  await Promise.all(systems.splice(0).map((system) => system.close()))
})

function start(keyv: Keyv, errors: unknown[] = []): TagInvalidationSystem {
  const system = createTagInvalidationSystem({ store: keyv, heartbeatMs: 200, onError: (error) => errors.push(error) })
  systems.push(system)
  return system
}

async function connect(system: TagInvalidationSystem): Promise<TestSink> {
  const body = { v: 1, ageMs: 0, watcher: 'w', watch: '*' }
  return openSink(await system.respond(toRequest({ body }), () => undefined))
}

it('refuses a second system on the same Keyv, in the same process too, until the first is closed', async () => {
  const keyv = new Keyv()
  const errors: unknown[] = []
  const first = start(keyv)
  const { at } = await first.invalidateTags({ tags: [['a']] })
  const second = start(keyv, errors)

  await expect(second.invalidateTags({ tags: [['b']] })).rejects.toMatchObject({
    code: 'registry-unavailable',
    message: expect.stringMatching(/Another server \(pid \d+ on .*new KeyvRedis\(url\)/) as string,
  })
  expect(String(errors[0])).toContain('Another server')

  await first.close()
  await expect.poll(() => second.invalidateTags({ tags: [['b']] }).catch(() => undefined)).toBeDefined()
  expect((await second.invalidateTags({ tags: [['c']] })).at.split(':')[0]).toBe(at.split(':')[0])
})

it('tells clients that it can not verify when the store is gone, and catches up when it is back (guarantee 9)', async () => {
  const store = new Map<string, unknown>()
  let isGone = false
  const get = store.get.bind(store)
  store.get = (key) => {
    if (isGone) throw new Error('The store is gone')
    return get(key)
  }
  const system = start(new Keyv({ store }))
  const sink = await connect(system)
  await expect.poll(() => sink.all('hello').length).toBe(1)
  await system.invalidateTags({ tags: [['a']] })

  isGone = true
  await expect.poll(() => sink.all('heartbeat').at(-1)?.verified, { timeout: 15_000 }).toBe(false)
  isGone = false

  await expect.poll(() => sink.all('heartbeat').at(-1)?.verified, { timeout: 15_000 }).toBe(true)
  await system.invalidateTags({ tags: [['b']] })
  await expect.poll(() => sink.all('invalidate').flatMap(({ tags }) => tags)).toEqual([['a'], ['b']])
  expect(sink.all('reset')).toEqual([])
}, 60_000)
