import { QueryTagsError } from '../errors.ts'
import { show } from '../json.ts'

/** Whose invalidations. `{ kind: 'user', id: '7' }` is one scope, and `{ kind: 'admins' }` is one other; neither is a wildcard. */
export type Scope = { readonly kind: string; readonly id?: string }

/** The scope that every admitted connection is in. */
export const GLOBAL_SCOPE: Scope = { kind: 'global' }

/** Characters in a `kind` or `id`. */
const MAX_PART = 256
/** Characters in an identity: escaping makes at most six of one. */
const MAX_ID = 12 * MAX_PART + 16

/**
 * The identity of a scope, e.g. `["user","7"]` or `["global",null]`: what cursors and frames name it by.
 *
 * @throws {QueryTagsError} `invalid-scope` when `kind` or `id` is empty, not a string, over 256 characters, or present but undefined. A
 * missing id must be left out: `{ kind: 'user', id: undefined }` is nearly always a user who was not loaded.
 */
export function toScopeId(scope: Scope): string {
  if (typeof scope !== 'object' || scope === null) throw invalidScope(scope, 'it is not an object { kind, id? }')
  if (!isPart(scope.kind)) throw invalidScope(scope, `kind must be a string of 1 to ${MAX_PART} characters`)
  if ('id' in scope && !isPart(scope.id))
    throw invalidScope(scope, `id, when present, must be a string of 1 to ${MAX_PART} characters`)
  return JSON.stringify([scope.kind, scope.id ?? null])
}

/** The scope of an identity that {@link toScopeId} made; not for strings from outside. */
export function fromScopeId(id: string): Scope {
  const [kind, part] = JSON.parse(id) as [string, string | null]
  return part === null ? { kind } : { kind, id: part }
}

/**
 * Whether a string from outside can be a scope identity. Identities begin with a bracket, so none of them is a name that objects treat
 * specially.
 */
export function isScopeId(text: unknown): text is string {
  return typeof text === 'string' && text.startsWith('[') && text.length <= MAX_ID
}

function isPart(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_PART
}

function invalidScope(value: unknown, why: string): QueryTagsError {
  return new QueryTagsError('invalid-scope', `Invalid scope ${show(value)}: ${why}`)
}
