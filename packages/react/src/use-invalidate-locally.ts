'use client'

import type { TagInput } from '@query-tags/core'
import { useCallback } from 'react'
import { useProviderContext } from './provider-context.ts'

/**
 * A function that invalidates tags in this page only, as if the server had said so: matching queries are marked, and those on screen
 * refetch. Nothing is sent. For changes that this page knows of and the server can't announce; for mutations prefer `withInvalidates`.
 *
 * The function never changes. While no provider is mounted it does nothing.
 *
 * @throws {QueryTagsError} `no-provider`; the function itself `invalid-tag`
 *
 * @example
 * ```tsx
 * const invalidateLocally = useInvalidateLocally()
 * return <button onClick={() => invalidateLocally([appTags.todos()])}>Reload todos</button>
 * ```
 */
export function useInvalidateLocally(): (tags: readonly TagInput[]) => void {
  const { slot } = useProviderContext('useInvalidateLocally')
  return useCallback((tags: readonly TagInput[]) => slot.invalidateLocally(tags), [slot])
}
