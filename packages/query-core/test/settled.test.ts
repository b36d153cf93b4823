import { withTags } from '@query-tags/core'
import type { Binding } from '@query-tags/core/client'
import { focusManager, MutationObserver, QueryObserver } from '@tanstack/query-core'
import { afterEach, expect, it } from 'vitest'
import { withInvalidates } from '../src/index.ts'
import { createWorld, settle } from './world.ts'

const value = (queryFn: () => Promise<number>) => withTags({ queryKey: ['value'], queryFn }, [['value']])

/** Whether a promise has resolved, asked at any time. */
function watch(promise: Promise<void>): () => boolean {
  let isOver = false
  void promise.then(() => {
    isOver = true
  })
  return () => isOver
}

afterEach(() => {
  focusManager.setFocused(undefined)
})

it('settles after the refetch of an invalidation, and after the one that trails it', async () => {
  const world = createWorld()
  const { queryClient, client, database } = world
  new QueryObserver(queryClient, value(database.read)).subscribe(() => undefined)
  client.hello()
  await database.arrive()

  world.change()
  const settled = (world.binding as unknown as Required<Binding>).settled()
  const isSettled = watch(settled)
  await settle()
  world.change()
  await database.arrive()
  expect(isSettled()).toBe(false)
  await database.arrive()
  await settled

  expect(queryClient.getQueryData(['value'])).toBe(2)
})

it('does not wait for what a mutation or a hidden page holds back', async () => {
  const world = createWorld()
  const { queryClient, client, database } = world
  const binding = world.binding as unknown as Required<Binding>
  new QueryObserver(queryClient, value(database.read)).subscribe(() => undefined)
  client.hello()
  await database.arrive()
  const saving = Promise.withResolvers<void>()
  const saved = new MutationObserver(
    queryClient,
    withInvalidates({ mutationFn: () => saving.promise }, [['value']]),
  ).mutate()

  world.change()
  await binding.settled()
  expect(database.reads).toBe(1)

  focusManager.setFocused(false)
  saving.resolve()
  await saved
  await binding.settled()
  expect(database.reads).toBe(1)

  focusManager.setFocused(true)
  await settle()
  expect(database.reads).toBe(2)
})
