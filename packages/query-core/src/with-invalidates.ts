import { toPlainTag, type PlainTag, type TagInput } from '@query-tags/core'
import type { Mutation } from '@tanstack/query-core'

/**
 * Declares which tags a mutation changes. While it runs, queries with overlapping tags are not refetched, so that nothing flickers over an
 * optimistic update (for at most 30 s, or until it pauses). When it succeeded, they are refetched at once, without waiting for the server's
 * word. Other browsers still need the server's `invalidateTags`.
 *
 * @throws {QueryTagsError} `invalid-tag`
 *
 * @example
 * ```ts
 * useMutation(withInvalidates({ mutationFn: addTodo }, [appTags.todos()]))
 * ```
 */
export function withInvalidates<T extends object>(
  options: T & { readonly meta?: Record<string, unknown> | undefined },
  tags: readonly TagInput[],
): T & { meta: { invalidates: readonly PlainTag[] } } {
  return { ...options, meta: { ...options.meta, invalidates: tags.map(toPlainTag) } }
}

export function declaredTags(mutation: Mutation): readonly PlainTag[] {
  const tags = mutation.options.meta?.['invalidates']
  return Array.isArray(tags) ? (tags as readonly PlainTag[]) : []
}
