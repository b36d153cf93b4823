import { QueryTagsError } from '../errors.ts'
import { MAX_JSON_DEPTH, show } from '../json.ts'

/** The dotted path of a tag factory or branch, e.g. `appTags.todos.byId[TAG_PATH] === 'todos.byId'`; the root's path is `''`. */
export const TAG_PATH: unique symbol = Symbol.for('query-tags.path')
/** The plain form that a factory or branch stands for when it is used as a tag without being called. */
export const TAG_PLAIN: unique symbol = Symbol.for('query-tags.plain')

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/** A tag without a contract: any non-empty array of JSON values. */
export type RawTag = readonly [JsonValue, ...JsonValue[]]

/** One instance of a leaf: `appTags.todos.byId('7')`. Plain JSON. */
export interface Tag {
  readonly path: string
  readonly key: readonly JsonValue[]
}

/** Everything at and below a path: `appTags.todos()`. `keys` are those of its leaves without parameters, so that it covers raw tags equal to them. */
export interface TagGroup {
  readonly path: string
  readonly keys: readonly (readonly JsonValue[])[]
}

/** Every instance of a leaf with parameters: what the uncalled factory `appTags.todos.byId` stands for. */
export interface TagFamily {
  readonly path: string
}

/** A tag as it is stored and sent: JSON, no functions. It survives dehydrate, persist and the wire. */
export type PlainTag = Tag | TagGroup | TagFamily | RawTag

export interface TagPathCarrier {
  readonly [TAG_PATH]: string
}

/** An uncalled factory or branch of a contract. */
export type TagCallable = ((...args: never[]) => Tag | TagGroup) & TagPathCarrier

/** Whatever can be given where a tag is wanted: a tag, a group, a raw tag, or a factory or branch that was not called. */
export type TagInput = PlainTag | TagCallable

// Constants of their own, and not only fields of TAG_LIMITS, because bundlers inline these: every browser loads them.
export const MAX_TAG_BYTES = 1024
export const MAX_GROUP_BYTES = 16_384
const MAX_PATH_NAMES = 8
const MAX_PATH_LENGTH = 200

/** Sizes that every tag must respect. They bound memory on the server and in every browser. */
export const TAG_LIMITS: {
  /** Nesting of arrays and objects inside a key, the key itself included. */
  readonly maxDepth: number
  /** Canonical form of a tag, in UTF-8 bytes. */
  readonly maxTagBytes: number
  /** The same for a group, which carries the keys of its leaves without parameters. */
  readonly maxGroupBytes: number
  /** Names in a path. */
  readonly maxPathSegments: number
  /** Characters in a path. */
  readonly maxPathLength: number
} = {
  maxDepth: MAX_JSON_DEPTH,
  maxTagBytes: MAX_TAG_BYTES,
  maxGroupBytes: MAX_GROUP_BYTES,
  maxPathSegments: MAX_PATH_NAMES,
  maxPathLength: MAX_PATH_LENGTH,
}

/** What {@link isTagName} and {@link isTagPath} ask for, for error messages. */
export const PATH_RULE: string = `a path has at most ${MAX_PATH_NAMES} names, ${MAX_PATH_LENGTH} characters; names are letters, digits, _, $ and -, not __proto__ or then`

/** Whether this may name a branch or a leaf. What assignment (`__proto__`) or `await` (`then`) would treat specially may not. */
export function isTagName(name: string): boolean {
  return /^[\p{ID_Continue}$-]+$/u.test(name) && name !== '__proto__' && name !== 'then'
}

/** Whether this is the path of a branch or a leaf; the root's is empty. */
export function isTagPath(path: string): boolean {
  const names = path.split('.')
  return path === '' || (path.length <= MAX_PATH_LENGTH && names.length <= MAX_PATH_NAMES && names.every(isTagName))
}

export function invalidTag(value: unknown, why: string): QueryTagsError {
  return new QueryTagsError('invalid-tag', `Invalid tag ${show(value)}: ${why}`)
}
