export { createTagInvalidationSystem } from './create-system.ts'
export type {
  CloseOptions,
  ContextArgument,
  ContextOptions,
  HandlerOptions,
  SystemStats,
  TagInvalidationSystem,
} from './tag-invalidation-system.ts'
export type { SystemOptions } from './options.ts'
export type { KeyvStore } from './registry/store.ts'
export type { Limits } from './limits.ts'
export type { Clock } from './clock.ts'
export type { ErrorListener, ErrorPhase } from './reporter.ts'
export type { ExpiringScopes, ResolvedScopes, ResolveScope } from './http/authorize.ts'
export type { Invalidate, UnannouncedError } from './invalidate.ts'
export type { ControlResult } from './http/respond.ts'
export { createMemoryRegistry, type MemoryRegistryOptions } from './registry/memory.ts'
export type { LogEntry, Missed, Recorded, TagRegistry } from './registry/tag-registry.ts'
// For adapter authors.
export type { Answer, Outcome, Stream } from './http/outcome.ts'
export type { EventSink, StreamSource } from './hub/sink.ts'
export { BodyTooLarge, fromRequest, type HandlerRequest } from './http/request.ts'
export { toResponse } from './http/to-response.ts'
