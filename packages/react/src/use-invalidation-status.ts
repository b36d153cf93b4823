'use client'

import type { ConnectionStatus } from '@query-tags/core/client'
import { useCallback, useSyncExternalStore } from 'react'
import { useProviderContext } from './provider-context.ts'

const CONNECTING: ConnectionStatus = { state: 'connecting' }

/**
 * The state of the connection, rendered anew when it changes. `live` is the only state in which this page is known to be current as it
 * stands; from every other it catches up by itself, so there is nothing to do but to show it.
 *
 * `connecting` on the server and in the first render.
 *
 * @throws {QueryTagsError} `no-provider`
 *
 * @example
 * ```tsx
 * function ConnectionDot() {
 *   const status = useInvalidationStatus()
 *   return <span data-state={status.state}>{status.state === 'live' ? 'live' : 'reconnecting'}</span>
 * }
 * ```
 */
export function useInvalidationStatus(): ConnectionStatus {
  const { client } = useProviderContext('useInvalidationStatus')
  return useSyncExternalStore(
    useCallback((listener) => client.subscribe(listener), [client]),
    () => {
      const { status } = client
      // Under a provider, a client that nothing is bound to is one that is about to be.
      return status.state === 'paused' && status.reason === 'unbound' ? CONNECTING : status
    },
    () => CONNECTING,
  )
}
