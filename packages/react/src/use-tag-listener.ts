'use client'

import { type PlainTag, toPlainTag, type TagInput } from '@query-tags/core'
import { useEffect } from 'react'
import type { TagListener } from './binding-slot.ts'
import { useProviderContext } from './provider-context.ts'
import { useLatest } from './use-latest.ts'

/**
 * Calls back with what was invalidated when it overlaps one of these tags, whether or not a query has them: to refresh what no query holds,
 * or to show a hint. `'*'` says that what changed is not known, so that everything counts as changed.
 *
 * The callback of the latest render is called. Tags are compared by content, so an array written inline does not subscribe anew.
 *
 * @throws {QueryTagsError} `no-provider`, `invalid-tag`
 *
 * @example
 * ```tsx
 * useTagListener([appTags.map.tiles()], () => map.reload())
 * ```
 */
export function useTagListener(tags: readonly TagInput[], callback: TagListener): void {
  const { slot } = useProviderContext('useTagListener')
  const latestCallback = useLatest(callback)
  const content = JSON.stringify(tags.map(toPlainTag))

  useEffect(
    () => slot.listen(JSON.parse(content) as PlainTag[], (hit) => latestCallback.current(hit)),
    [slot, content, latestCallback],
  )
}
