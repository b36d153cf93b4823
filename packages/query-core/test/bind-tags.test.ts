import { withTags } from '@query-tags/core'
import { focusManager, QueryObserver } from '@tanstack/query-core'
import { afterEach, expect, it } from 'vitest'
import type { InvalidationEvent } from '../src/index.ts'
import { createWorld, settle, type World } from './world.ts'

afterEach(() => focusManager.setFocused(undefined))

function observe(world: World, key: string) {
  const options = withTags({ queryKey: [key], queryFn: world.database.read }, [[key]])
  const observer = new QueryObserver(world.queryClient, options)
  return { observer, stop: observer.subscribe(() => undefined) }
}

it('tells of each invalidation with the queries that it made outdated', async () => {
  const events: InvalidationEvent[] = []
  const world = createWorld({ onInvalidation: (event) => events.push(event) })
  observe(world, 'value')
  observe(world, 'other')
  world.client.hello()

  world.client.invalidate(['value'])
  world.client.reset()

  expect(events.map(({ source, tags, queries }) => [source, tags, queries.map(({ queryHash }) => queryHash)])).toEqual([
    ['stream', [['value']], ['["value"]']],
    ['reset', '*', ['["value"]', '["other"]']],
  ])
})

it('listens for tags that no query has, until the listener ends', () => {
  const world = createWorld()
  const heard: unknown[] = []
  const stop = world.binding.listen([['chat']], (tags) => heard.push(tags))
  world.client.hello()

  world.client.invalidate(['chat'])
  world.client.invalidate(['other'])
  world.client.reset()
  stop()
  world.client.invalidate(['chat'])

  expect(heard).toEqual([[['chat']], '*'])
  expect(world.client.watched.size).toBe(0)
})

it('applies a frame although a callback of the app throws', async () => {
  const errors: unknown[] = []
  const world = createWorld({ onInvalidation: fail, onError: (error) => errors.push(error) })
  observe(world, 'value')
  world.binding.listen([['value']], fail)
  world.client.hello()
  await world.database.arrive()

  world.change()
  await settle()

  expect(world.database.reads).toBe(2)
  expect(errors).toHaveLength(2)
})

it('invalidates locally, and refuses what is no tag', async () => {
  const world = createWorld()
  observe(world, 'value')
  world.client.hello()
  await world.database.arrive()

  world.binding.invalidateLocally([['value']])
  await settle()

  expect(world.database.reads).toBe(2)
  expect(() => world.binding.invalidateLocally([[]] as never)).toThrow(expect.objectContaining({ code: 'invalid-tag' }))
})

it.each([
  ['unmounts before', true],
  ['unmounts after', false],
])('stops watching the tags of a query that was removed when it %s', async (_when, before) => {
  const world = createWorld()
  const { stop } = observe(world, 'value')
  world.client.hello()
  await world.database.arrive()
  expect(world.client.watched.size).toBe(1)

  if (before) stop()
  world.queryClient.clear()
  stop()
  world.client.answer()

  expect(world.client.watched.size).toBe(0)
})

it('stops watching the tags of a query that was removed in the task in which its data were restored', async () => {
  const world = createWorld()
  world.client.hello()
  const query = world.queryClient
    .getQueryCache()
    .build(world.queryClient, withTags({ queryKey: ['value'], initialData: 0 }, [['value']]))

  world.queryClient.getQueryCache().remove(query)
  await settle()
  world.client.answer()

  expect(world.client.watched.size).toBe(0)
})

it('refetches a query that was removed while it is shown, for as long as it is (guarantee 1)', async () => {
  const world = createWorld()
  const { observer, stop } = observe(world, 'value')
  world.client.hello()
  await world.database.arrive()

  world.queryClient.clear()
  world.change()
  await settle()
  await world.database.arrive()
  expect(observer.getCurrentResult().data).toBe(1)

  stop()
  world.change()
  await settle()
  expect(world.database.reads).toBe(2)
})

it('does nothing any more once it is closed', async () => {
  const world = createWorld()
  observe(world, 'value')
  world.client.hello()
  await world.database.arrive()

  world.binding.close()
  world.change()
  await settle()

  expect(world.database.reads).toBe(1)
})

it('applied twice, or two in either order, invalidations end in the same state (guarantee 12)', async () => {
  for (const order of [
    [0, 1],
    [1, 0],
    [0, 0, 1, 1],
    [1, 0, 1],
  ]) {
    const world = createWorld()
    observe(world, 'value')
    observe(world, 'other')
    world.client.hello()
    while (world.database.pending > 0) await world.database.arrive()
    world.database.value++
    const receipts = [world.client.record(['value']), world.client.record(['value'], ['other'])]

    for (const i of order) world.client.applyReceipt(receipts[i]!)
    world.client.deliver()
    await settle()
    while (world.database.pending > 0) await world.database.arrive()

    const states = ['value', 'other'].map((key) => world.queryClient.getQueryState([key])!)
    expect(states.map(({ data, isInvalidated }) => ({ data, isInvalidated }))).toEqual([
      { data: 1, isInvalidated: false },
      { data: 1, isInvalidated: false },
    ])
  }
})

function fail(): never {
  throw new Error('app')
}
