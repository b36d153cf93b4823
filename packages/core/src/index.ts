export { isQueryTagsError, QueryTagsError, type QueryTagsErrorCode } from './errors.ts'
export {
  TAG_LIMITS,
  TAG_PATH,
  type JsonValue,
  type PlainTag,
  type RawTag,
  type Tag,
  type TagCallable,
  type TagFamily,
  type TagGroup,
  type TagInput,
  type TagPathCarrier,
} from './tags/tag.ts'
export {
  defineTags,
  type ResolvedTagTree,
  type TagFactory,
  type TagNode,
  type ValidTagFactoryTree,
} from './tags/define-tags.ts'
export { toTagKey } from './tags/tag-key.ts'
export { toPlainTag } from './tags/to-plain-tag.ts'
export { tagsOverlap } from './tags/overlap.ts'
export { TagIndex } from './tags/tag-index.ts'
export {
  withTags,
  type InfiniteQueryFnContext,
  type QueryFnContext,
  type QueryTagsMeta,
  type QueryView,
  type Tagged,
} from './tags/with-tags.ts'
export { fromScopeId, GLOBAL_SCOPE, toScopeId, type Scope } from './protocol/scope.ts'
export {
  formatPosition,
  MAX_CURSOR_SCOPES,
  olderCursor,
  olderPosition,
  parsePosition,
  raiseCursor,
  readCursor,
  type Cursor,
  type Position,
} from './protocol/cursor.ts'
export {
  PROTOCOL_VERSION,
  type ByeFrame,
  type ByeReason,
  type ErrorBody,
  type Frame,
  type Frames,
  type HeartbeatFrame,
  type HelloFrame,
  type InvalidateFrame,
  type Receipt,
  type ResetFrame,
  type ResetReason,
  type StreamRequest,
  type WatchAnswer,
  type WatchRequest,
} from './protocol/messages.ts'
export { encodeCursor, encodeFrame, encodeInvalidate } from './protocol/encode.ts'
export { decodeCursor, decodeFrame, readTags } from './protocol/decode.ts'
