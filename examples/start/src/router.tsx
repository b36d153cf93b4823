import { carryCursor } from '@query-tags/react'
import { QueryClient } from '@tanstack/react-query'
import { createRouter } from '@tanstack/react-router'
import { setupRouterSsrQueryIntegration } from '@tanstack/react-router-ssr-query'
import { takeCursor } from './lib/take-cursor'
import { routeTree } from './routeTree.gen'

export async function getRouter() {
  const queryClient = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } })
  carryCursor(queryClient, await takeCursor())
  const router = createRouter({ routeTree, context: { queryClient }, defaultPreload: 'intent' })
  setupRouterSsrQueryIntegration({ router, queryClient, wrapQueryClient: false })
  return router
}

declare module '@tanstack/react-router' {
  interface Register {
    router: Awaited<ReturnType<typeof getRouter>>
  }
}
