import { withTags } from '@query-tags/core'
import { QueryObserver } from '@tanstack/query-core'
import { expect, it } from 'vitest'
import { createWorld, settle } from './world.ts'

it('marks with the frame what the receipt could not, because a listener of the cache threw (guarantee 1)', async () => {
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
  const stop = queryClient.getQueryCache().subscribe(() => {
    throw new Error('from the app')
  })

  expect(() => client.applyReceipt(receipt)).toThrow('from the app')
  stop()
  expect(names.filter((name) => queryClient.getQueryState([name])!.isInvalidated)).toEqual(['a'])
  client.deliver()

  expect(names.filter((name) => queryClient.getQueryState([name])!.isInvalidated)).toEqual(names)
  binding.close()
})
