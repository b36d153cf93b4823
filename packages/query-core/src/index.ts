export {
  bindTags,
  type BindingEnvironment,
  type BindTagsOptions,
  type InvalidationEvent,
  type TagBinding,
} from './bind-tags.ts'
export { withInvalidates } from './with-invalidates.ts'
export type { InvalidationRouter, RouteMatchLike } from './route-tags.ts'
export { persistedPositions, type PersistedPositions, type StoredQuery } from './persisted-positions.ts'
export { carryCursor } from './snapshot.ts'
