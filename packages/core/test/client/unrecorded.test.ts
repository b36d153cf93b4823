import { expect, it } from 'vitest'
import { World } from './world.ts'

const GLOBAL = '["global",null]'
const unrecorded = { scope: GLOBAL, tags: [['a']] } as const

it('applies an invalidation without a position, and stays where it is (guarantee 5)', async () => {
  const world = new World()
  const attachment = world.attach()
  await world.run()
  world.stream.hello()

  world.stream.send('invalidate', unrecorded)

  expect(world.binding.log).toEqual(['hello', 'stream  a'])
  expect(attachment.position().cursor).toEqual({ [GLOBAL]: 'e:100' })
  expect(world.errors).toEqual([])
  world.stream.invalidate('e:101', 'a')
  expect(attachment.position().cursor).toEqual({ [GLOBAL]: 'e:101' })
})

it('applies one in a scope that the hello left out, which stays unresolved', async () => {
  const world = new World()
  const attachment = world.attach()
  await world.run()
  world.stream.hello({ cursor: {} })

  world.stream.send('invalidate', unrecorded)

  expect(world.binding.log).toEqual(['hello', 'stream  a'])
  expect(attachment.position().cursor).toEqual({})
  expect(world.state).toBe('degraded')
})
