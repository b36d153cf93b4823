import { defineTags } from '@query-tags/core'

/** What changes in the fleet's world. */
export const tags = defineTags({ items: { byId: (id: number) => ['item', id] } })
