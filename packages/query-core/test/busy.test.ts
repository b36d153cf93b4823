import { withTags } from '@query-tags/core'
import type { Binding } from '@query-tags/core/client'
import { focusManager, MutationObserver, QueryObserver } from '@tanstack/query-core'
import { afterEach, expect, it } from 'vitest'
import { withInvalidates } from '../src/index.ts'
import { createWorld, settle, type World } from './world.ts'

const value = (queryFn: () => Promise<number>) => withTags({ queryKey: ['value'], queryFn }, [['value']])

/** What only tests ask a binding, through `client.settled()` of @query-tags/testing. */
const toBinding = ({ binding }: World): Required<Binding> => binding as unknown as Required<Binding>

afterEach(() => {
  focusManager.setFocused(undefined)
})

it('is busy until the refetch of an invalidation is over, and the one that trails it', async () => {
  const world = createWorld()
  const { queryClient, client, database } = world
  const binding = toBinding(world)
  new QueryObserver(queryClient, value(database.read)).subscribe(() => undefined)
  client.hello()
  await database.arrive()

  expect(binding.isBusy()).toBe(false)
  world.change()
  expect(binding.isBusy()).toBe(true)
  await settle()
  world.change()
  await database.arrive()
  expect(binding.isBusy()).toBe(true)
  let isTold = false
  binding.onActivity(() => {
    isTold = true
  })
  await database.arrive()

  expect(binding.isBusy()).toBe(false)
  expect(isTold).toBe(true)
  expect(queryClient.getQueryData(['value'])).toBe(2)
})

it('is not busy with what a mutation or a hidden page holds back', async () => {
  const world = createWorld()
  const { queryClient, client, database } = world
  const binding = toBinding(world)
  new QueryObserver(queryClient, value(database.read)).subscribe(() => undefined)
  client.hello()
  await database.arrive()
  const saving = Promise.withResolvers<void>()
  const saved = new MutationObserver(
    queryClient,
    withInvalidates({ mutationFn: () => saving.promise }, [['value']]),
  ).mutate()

  world.change()
  await settle()
  expect(binding.isBusy()).toBe(false)
  expect(database.reads).toBe(1)

  focusManager.setFocused(false)
  saving.resolve()
  await saved
  await settle()
  expect(binding.isBusy()).toBe(false)
  expect(database.reads).toBe(1)

  focusManager.setFocused(true)
  await settle()
  expect(database.reads).toBe(2)
})
