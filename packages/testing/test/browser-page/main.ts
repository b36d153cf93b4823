import { withTags } from '@query-tags/core'
import { bindTags } from '@query-tags/query-core'
import { QueryClient, QueryObserver } from '@tanstack/query-core'
import { createTestInvalidation } from '../../src/index.ts'

// What a story does: a server and a client in the page, and a query that shows how often it was fetched.
const { system, client } = createTestInvalidation()
const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } })
bindTags({ queryClient, client })
let fetches = 0
const todos = withTags({ queryKey: ['todos'], queryFn: () => ++fetches }, [['todos']])
new QueryObserver(queryClient, todos).subscribe(({ data }) => {
  document.title = `fetched ${data} times`
})
await client.settled()
await system.invalidateTags({ tags: [['todos']] })
