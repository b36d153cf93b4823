// What @query-tags/query-core declares for its users; core's own tests can't import it.
import type { QueryClient } from '@tanstack/react-query'

declare global {
  interface QueryTagsFrameworkTypes {
    readonly queryClient: QueryClient
  }
}
