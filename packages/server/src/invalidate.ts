import {
  formatPosition,
  GLOBAL_SCOPE,
  isQueryTagsError,
  QueryTagsError,
  toPlainTag,
  toScopeId,
  toTagKey,
  type PlainTag,
  type Position,
  type Receipt,
  type Scope,
  type TagInput,
} from '@query-tags/core'
import type { TagRegistry } from './registry/tag-registry.ts'

/** What to invalidate, and whose. */
export interface Invalidate {
  /** At most 1,000 tags and 48 KiB at a time. */
  readonly tags: readonly TagInput[]
  /**
   * Left out: the global scope, everyone. Present but `undefined` is refused, since it is nearly always a user who was not loaded.
   */
  readonly scope?: Scope
}

/** What {@link TagInvalidationSystem.invalidateAfter} rejects with when the work was done but could not be announced. */
export interface UnannouncedError<T> extends QueryTagsError {
  /** What the work resolved with. */
  readonly result: T
}

/** Where invalidations go. */
export interface Announcer {
  readonly registry: TagRegistry
  /** Told of what was recorded. */
  readonly onRecorded: (scope: string, at: Position) => void
  /** Told of what the registry could not take. */
  readonly onUnrecorded: (scope: string, tags: readonly PlainTag[]) => void
}

const MAX_TAGS = 1000
const MAX_CHARACTERS = 49_152

interface CheckedInvalidation {
  readonly scope: string
  readonly tags: readonly PlainTag[]
}

/**
 * @throws {QueryTagsError} `registry-unavailable` when it could not be recorded, or `invalid-tag`, `invalid-scope`, `too-large`
 */
export async function recordInvalidation(announcer: Announcer, invalidate: Invalidate): Promise<Receipt> {
  return record(announcer, check(invalidate))
}

/** Does the work, then records what it asked for. */
export async function recordAfter<T>(
  announcer: Announcer,
  work: (invalidate: (invalidate: Invalidate) => void) => T | Promise<T>,
): Promise<T> {
  const asked: CheckedInvalidation[] = []
  let isDone = false
  const result = await work((invalidate) => {
    if (isDone) throw new QueryTagsError('closed', 'invalidate() was called after the work of invalidateAfter was done')
    // Checked here, so that the work fails, and rolls back, before anything is changed that can't be announced.
    asked.push(check(invalidate))
  })
  isDone = true
  try {
    await Promise.all(asked.map((invalidation) => record(announcer, invalidation)))
  } catch (error) {
    const code = isQueryTagsError(error) ? error.code : 'registry-unavailable'
    const message =
      'The work of invalidateAfter is done, but what it changed could not be recorded; invalidate its tags again'
    throw Object.assign(new QueryTagsError(code, message, { cause: error }), { result })
  }
  return result
}

async function record(
  { registry, onRecorded, onUnrecorded }: Announcer,
  { scope, tags }: CheckedInvalidation,
): Promise<Receipt> {
  if (tags.length === 0) return { scope, at: formatPosition(await registry.head(scope)), tags }
  try {
    const at = await registry.record(scope, tags)
    onRecorded(scope, at)
    return { scope, at: formatPosition(at), tags }
  } catch (error) {
    onUnrecorded(scope, tags)
    throw error
  }
}

function check(invalidate: Invalidate): CheckedInvalidation {
  const scope = toScopeId('scope' in invalidate ? invalidate.scope : GLOBAL_SCOPE)
  if (!Array.isArray(invalidate.tags)) throw new QueryTagsError('invalid-tag', 'tags must be an array of tags')
  // Frozen copies, so that nobody changes a tag after it was recorded.
  const tags = new Map<string, PlainTag>()
  for (const tag of invalidate.tags as readonly TagInput[]) {
    const plain = toPlainTag(tag)
    tags.set(toTagKey(plain), plain)
  }
  let characters = 0
  for (const key of tags.keys()) characters += key.length
  if (tags.size > MAX_TAGS || characters > MAX_CHARACTERS) {
    throw new QueryTagsError(
      'too-large',
      `${tags.size} tags with ${characters} characters are too many at a time (${MAX_TAGS}, ${MAX_CHARACTERS}); invalidate their group, or split them`,
    )
  }
  return { scope, tags: [...tags.values()] }
}
