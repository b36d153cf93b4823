import { withTags } from '@query-tags/core'
import { QueryObserver, type QueryClient } from '@tanstack/query-core'
import { expect, it, vi } from 'vitest'
import { bindTags } from '../src/index.ts'
import { createWorld, settle } from './world.ts'

/** The app's own listener of the cache throws, and stops what was going on. Returns the function that ends it. */
function throwFromNowOn(queryClient: QueryClient): () => void {
  return queryClient.getQueryCache().subscribe(() => {
    throw new Error('from the app')
  })
}

it('marks with the frame what the receipt could not (guarantee 1)', async () => {
  const { queryClient, client, binding } = createWorld()
  const names = ['a', 'b']
  for (const name of names) {
    const options = { queryKey: [name], queryFn: async () => 1, enabled: false, initialData: 1 }
    new QueryObserver(queryClient, withTags(options, [['value']])).subscribe(() => undefined)
  }
  client.hello()
  await settle()
  for (const name of names) await queryClient.fetchQuery({ queryKey: [name], queryFn: async () => 1, staleTime: 0 })
  const receipt = client.record(['value'])
  const stop = throwFromNowOn(queryClient)

  expect(() => client.applyReceipt(receipt)).toThrow('from the app')
  stop()
  expect(names.filter((name) => queryClient.getQueryState([name])!.isInvalidated)).toEqual(['a'])
  client.deliver()

  expect(names.filter((name) => queryClient.getQueryState([name])!.isInvalidated)).toEqual(names)
  binding.close()
})

it('tells those who listen to a tag with the frame when it could not with the receipt (guarantee 1)', async () => {
  const { queryClient, client, binding } = createWorld()
  const options = { queryKey: ['value'], queryFn: async () => 1, initialData: 1 }
  new QueryObserver(queryClient, withTags(options, [['value']])).subscribe(() => undefined)
  const told: unknown[] = []
  binding.listen([['value']], (tags) => told.push(tags))
  client.hello()
  await settle()
  const receipt = client.record(['value'])
  const stop = throwFromNowOn(queryClient)

  expect(() => client.applyReceipt(receipt)).toThrow('from the app')
  stop()
  expect(told).toEqual([])
  client.deliver()

  expect(told).toEqual([[['value']]])
  binding.close()
})

it('fetches what was marked before the listener threw (guarantee 1)', async () => {
  const { queryClient, client, database, binding } = createWorld()
  const options = withTags({ queryKey: ['value'], queryFn: database.read }, [['value']])
  new QueryObserver(queryClient, options).subscribe(() => undefined)
  client.hello()
  await database.arrive()
  client.record(['value'])
  const stop = throwFromNowOn(queryClient)

  expect(() => client.deliver()).toThrow('from the app')
  stop()
  await settle()

  expect(database.reads).toBe(2)
  binding.close()
})

it('leaves a client unbound that it could not be bound to, and marks for the next user what it did not get to (guarantee 8)', async () => {
  const { queryClient, client, binding } = createWorld({ scope: { kind: 'user', id: 'alice' } })
  const names = ['a', 'b']
  for (const name of names)
    await queryClient.fetchQuery(withTags({ queryKey: [name], queryFn: async () => 1 }, [[name]]))
  client.hello()
  binding.close()
  const options = { queryClient, client, scope: { kind: 'user', id: 'bob' } }
  const stop = throwFromNowOn(queryClient)

  expect(() => bindTags(options)).toThrow('from the app')
  stop()
  const bound = bindTags(options)

  expect(names.filter((name) => queryClient.getQueryState([name])!.isInvalidated)).toEqual(names)
  bound.close()
})

it('asks what data missed whose arrival the listener stopped (guarantee 1)', async () => {
  const { queryClient, client, binding } = createWorld()
  const other = withTags({ queryKey: ['other'], queryFn: () => 0, initialData: 0 }, [['other']])
  new QueryObserver(queryClient, other).subscribe(() => undefined)
  client.hello()
  client.invalidate(['other'])
  client.invalidate(['x'], ['y'])
  client.invalidate(['other'])
  await settle()
  await vi.waitFor(() => expect(queryClient.getQueryState(['other'])!.isInvalidated).toBe(false))
  await settle()
  const stop = throwFromNowOn(queryClient)

  const options = withTags({ queryKey: ['value'], queryFn: () => 1, initialData: 0 }, [['x'], ['y']])
  expect(() => new QueryObserver(queryClient, options)).toThrow('from the app')
  stop()

  expect(client.asked).toEqual([['x'], ['y']])
  binding.close()
})
