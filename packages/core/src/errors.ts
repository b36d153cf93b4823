/**
 * Why something was refused or failed. The codes from `malformed-message` on also travel over HTTP as `{ code, message }`.
 */
export type QueryTagsErrorCode =
  | 'invalid-tag'
  | 'invalid-scope'
  | 'invalid-option'
  | 'already-bound'
  | 'no-provider'
  | 'registry-unavailable'
  | 'closed'
  | 'malformed-message'
  | 'unauthorized'
  | 'scope-denied'
  | 'origin-denied'
  | 'not-found'
  | 'method-not-allowed'
  | 'timeout'
  | 'not-here'
  | 'too-large'
  | 'unsupported-media-type'
  | 'unsupported-version'
  | 'too-many-requests'
  | 'unavailable'
  | 'internal'

/**
 * The one error class of query-tags. Tell errors apart by `code`, with {@link isQueryTagsError}; the message says what was wrong, with the
 * value, and what to do.
 */
export class QueryTagsError extends Error {
  readonly code: QueryTagsErrorCode

  constructor(code: QueryTagsErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'QueryTagsError'
    this.code = code
  }
}

/**
 * Whether a value is a {@link QueryTagsError}, optionally with one code. Checks the name and the code, not the class, so that an error from
 * a second copy of this package, or from another realm, is recognised too.
 */
export function isQueryTagsError(value: unknown, code?: QueryTagsErrorCode): value is QueryTagsError {
  if (typeof value !== 'object' || value === null || !('name' in value) || !('code' in value)) return false
  if (value.name !== 'QueryTagsError') return false
  return code === undefined ? typeof value.code === 'string' : value.code === code
}
