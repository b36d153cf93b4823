import { createTagInvalidationSystem, type TagInvalidationSystem } from '@query-tags/server'

// When a module of the server changes in development, all of them are evaluated again. The open streams are those of the first system.
const kept = globalThis as { tagInvalidation?: TagInvalidationSystem }

// Zero-config: in-memory store, global scope
export const tagInvalidation = (kept.tagInvalidation ??= createTagInvalidationSystem())
