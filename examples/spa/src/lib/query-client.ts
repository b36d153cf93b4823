import { QueryClient } from '@tanstack/react-query'

/** Nothing goes stale by time: queries refetch when the server says that their tags changed. */
export const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } })
