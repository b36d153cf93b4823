import { defineTags, toPlainTag, type PlainTag } from '@query-tags/core'

const tags = defineTags({ items: { byId: (id: number) => ['item', id] } })

/** Of every item. */
export const ALL_ITEMS: PlainTag = toPlainTag(tags.items.byId)

export function itemTag(item: number): PlainTag {
  return toPlainTag(tags.items.byId(item))
}

/** The same, as a server without the contract calls it. */
export function rawItemTag(item: number): PlainTag {
  return ['item', item]
}
