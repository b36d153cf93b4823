'use client'

import { toScopeId, type Scope } from '@query-tags/core'
import type { InvalidatorClient } from '@query-tags/core/client'
import { createHTTPInvalidatorClient } from '@query-tags/http-client'
import { bindTags, type InvalidationEvent, type InvalidationRouter } from '@query-tags/query-core'
import { type QueryClient, useQueryClient } from '@tanstack/react-query'
import { type ReactElement, type ReactNode, useEffect, useLayoutEffect, useMemo, useState } from 'react'
import { BindingSlot } from './binding-slot.ts'
import { ProviderContext } from './provider-context.ts'
import { useLatest } from './use-latest.ts'

/** Where the invalidations come from: a client that you made, or a path to make one for. */
type ClientProps =
  | {
      /** Make it once, outside of components: it carries on where it was when the provider mounts again. You close it, if ever. */
      readonly client: InvalidatorClient
      readonly apiBasePath?: undefined
    }
  | {
      readonly client?: undefined
      /**
       * Where the server is mounted. The provider makes an HTTP client for it.
       * @default '/api/invalidator'
       */
      readonly apiBasePath?: string | undefined
    }

export type TagInvalidationProviderProps = ClientProps & {
  /** The cache to keep current. @default the one of the `QueryClientProvider` above */
  readonly queryClient?: QueryClient | undefined
  /** TanStack Router's router: routes with `staticData: { tags }` reload too. */
  readonly router?: InvalidationRouter | undefined
  /**
   * The scope that the server must find this user in; it refuses the stream otherwise. Without it the server's word decides alone. Compared
   * by content. When it changes, everything tagged counts as outdated: it was read by another user.
   */
  readonly scope?: Scope | undefined
  /** Called after each invalidation was applied, with the queries that it hit. For logs and devtools. */
  readonly onInvalidation?: ((event: InvalidationEvent) => void) | undefined
  readonly children?: ReactNode
}

// React 18 warns about layout effects on the server, where neither kind runs.
const useBrowserLayoutEffect = typeof document === 'undefined' ? useEffect : useLayoutEffect

/**
 * Keeps the queries below it current: opens the connection, and refetches every tagged query whose tags the server says have changed.
 *
 * One connection as long as it is mounted, also in StrictMode. Does nothing on the server.
 *
 * @throws {QueryTagsError} `already-bound` when another mounted provider has the same client; `invalid-scope`
 *
 * @example
 * ```tsx
 * const client = createHTTPInvalidatorClient({ basePath: '/api/invalidator' })
 *
 * <QueryClientProvider client={queryClient}>
 *   <TagInvalidationProvider client={client}>
 *     <App />
 *   </TagInvalidationProvider>
 * </QueryClientProvider>
 * ```
 */
export function TagInvalidationProvider(props: TagInvalidationProviderProps): ReactElement {
  const queryClient = useQueryClient(props.queryClient)
  const { router, client: given, apiBasePath } = props
  // Without a binding a client holds nothing, so one that StrictMode or a new path leaves behind needs no close.
  const client = useMemo(() => given ?? createHTTPInvalidatorClient({ basePath: apiBasePath }), [given, apiBasePath])
  const onInvalidation = useLatest(props.onInvalidation)
  const scope = useLatest(props.scope)
  const scopeId = props.scope && toScopeId(props.scope)
  const [slot] = useState(() => new BindingSlot())

  // A layout effect runs before queries below subscribe and fetch, so that the binding sees their first fetch begin.
  useBrowserLayoutEffect(
    () =>
      slot.fill(
        bindTags({
          queryClient,
          client,
          router,
          scope: scope.current,
          onInvalidation: (event) => onInvalidation.current?.(event),
        }),
      ),
    [slot, queryClient, client, router, scope, scopeId, onInvalidation],
  )

  const context = useMemo(() => ({ client, slot }), [client, slot])
  return <ProviderContext.Provider value={context}>{props.children}</ProviderContext.Provider>
}
