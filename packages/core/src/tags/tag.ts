import { QueryTagsError } from '../errors.ts'

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

/** Sizes that every tag must respect. They bound memory on the server and in every browser. */
export const TAG_LIMITS = {
  /** Nesting of arrays and objects inside a key. */
  maxDepth: 16,
  /** Canonical form of a tag, in UTF-8 bytes. */
  maxTagBytes: 1024,
  /** The same for a group, which carries the keys of its leaves without parameters. */
  maxGroupBytes: 16_384,
  /** Names in a path. */
  maxPathSegments: 8,
  /** Characters in a path. */
  maxPathLength: 200,
} as const

const PATH_SEGMENT = /^[\p{L}\p{N}_$-]+$/u

/** What is wrong with a path, or `undefined`. Names that an object or a promise would treat specially are refused. */
export function pathFault(path: string): string | undefined {
  if (path === '') return undefined
  if (path.length > TAG_LIMITS.maxPathLength) return `is longer than ${TAG_LIMITS.maxPathLength} characters`
  const segments = path.split('.')
  if (segments.length > TAG_LIMITS.maxPathSegments) return `has more than ${TAG_LIMITS.maxPathSegments} names`
  for (const name of segments) {
    if (!PATH_SEGMENT.test(name)) return 'has a name that is not made of letters, digits, "_", "$" and "-"'
    if (name === '__proto__' || name === 'then') return `uses the name "${name}", which is reserved`
  }
  return undefined
}

/** A short, safe rendering of a value for an error message. */
export function show(value: unknown): string {
  let text: string | undefined
  try {
    text = typeof value === 'bigint' ? `${value}n` : JSON.stringify(value)
  } catch {
    // Cycles and bigints inside have no JSON: the type has to do.
  }
  text ??= typeof value === 'function' ? `function ${value.name}` : String(typeof value === 'object' ? 'object' : String(value))
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

export function invalidTag(value: unknown, why: string): QueryTagsError {
  return new QueryTagsError('invalid-tag', `Invalid tag ${show(value)}: ${why}`)
}
