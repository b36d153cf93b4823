import { withTags } from '@query-tags/core'
import { bindTags, persistedPositions } from '@query-tags/query-core'
import { QueryClient, QueryObserver } from '@tanstack/query-core'
import { experimental_createQueryPersister } from '@tanstack/query-persist-client-core'
import { expect, it } from 'vitest'
import { createTestInvalidation, type TestClient } from '../src/index.ts'

const ROWS = Array.from({ length: 200 }, (_, i) => `row ${i}`)

/** A page load, which shows these rows: what it fetched once everything has settled. The browser's store is as fast as localStorage. */
async function visit(client: TestClient, items: Map<string, string>, names: readonly string[]): Promise<string[]> {
  const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } })
  const binding = bindTags({ queryClient, client })
  const persister = experimental_createQueryPersister({
    storage: {
      getItem: (key: string) => items.get(key),
      setItem: (key: string, item: string) => items.set(key, item),
      removeItem: (key: string) => void items.delete(key),
    },
    ...persistedPositions(queryClient),
  }).persisterFn
  const reads: string[] = []
  for (const name of names) {
    const queryFn = async (): Promise<object> => {
      reads.push(name)
      // As an API does. What is fetched before TanStack has said how old the restored data are is fetched once more.
      await new Promise((resolve) => setTimeout(resolve, 5))
      return { read: reads.length }
    }
    const options = withTags({ queryKey: [name], queryFn, gcTime: Infinity }, [['row', name]])
    new QueryObserver(queryClient, { ...options, persister }).subscribe(() => undefined)
  }
  await client.settled()
  // It stores after observers were told.
  await new Promise((resolve) => setTimeout(resolve, 10))
  binding.close()
  queryClient.clear()
  return reads
}

it('a real server says of 200 queries stored one by one which changed since each was read, visit after visit (guarantee 8)', async () => {
  const { system, createClient, close } = createTestInvalidation()
  const items = new Map<string, string>()
  const change = (...names: string[]) => system.invalidateTags({ tags: names.map((name) => ['row', name] as const) })
  expect(await visit(createClient(), items, ROWS)).toHaveLength(200)

  await change('row 3', 'row 77')
  await change('row 199')
  expect((await visit(createClient(), items, ROWS)).toSorted()).toEqual(['row 199', 'row 3', 'row 77'])
  expect(await visit(createClient(), items, ROWS)).toEqual([])

  await change('row 4')
  expect(await visit(createClient(), items, ROWS.slice(0, 50))).toEqual(['row 4'])
  expect(await visit(createClient(), items, ROWS)).toEqual([])
  await close()
})
