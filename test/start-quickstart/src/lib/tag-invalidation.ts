import { createTagInvalidationSystem } from '@query-tags/server'

// Zero-config: in-memory store, global scope
export const tagInvalidation = createTagInvalidationSystem()
