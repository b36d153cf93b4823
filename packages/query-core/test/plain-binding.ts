import { tagsOverlap, type PlainTag } from '@query-tags/core'
import type { Query } from '@tanstack/query-core'
import type { BindTagsOptions, TagBinding } from '../src/index.ts'

/** What one would write without this package: `invalidateQueries` for every query with such a tag. Tests prove that it loses. */
export function bindPlainly({ queryClient, client }: BindTagsOptions): TagBinding {
  const invalidate = (predicate: (query: Query) => boolean): void => void queryClient.invalidateQueries({ predicate })
  const attachment = client.attach({
    onHello: () => attachment.watch({ path: '', keys: [['value']] }, attachment.position()),
    onInvalidate: ({ tags }) => invalidate(hasOneOf(tags)),
    onReset: () => invalidate(() => true),
    onMissed: (_added, missed) => invalidate(missed === 'expired' ? () => true : hasOneOf(missed)),
  })
  attachment.watch({ path: '', keys: [['value']] }, attachment.position())
  return { invalidateLocally: () => undefined, listen: () => () => undefined, close: () => attachment.detach() }
}

function hasOneOf(tags: readonly PlainTag[]): (query: Query) => boolean {
  return (query) => {
    const held = (query.meta?.['tags'] ?? []) as readonly PlainTag[]
    return held.some((tag) => tags.some((other) => tagsOverlap(tag, other)))
  }
}
