import { invalidTag, pathFault, TAG_LIMITS, type JsonValue, type PlainTag } from './tag.ts'

/**
 * The canonical form of a tag: JSON with sorted object keys. Two tags are the same in a log, a backlog or a watch list when this string is
 * equal; it is also exactly how a tag is written on the wire. This is the only place where a tag becomes a string.
 *
 * @throws {QueryTagsError} `invalid-tag` for anything that is not a well-formed plain tag within the limits.
 */
export function toTagKey(tag: PlainTag): string {
  const form = writeTag(tag)
  const maxBytes = 'keys' in tag ? TAG_LIMITS.maxGroupBytes : TAG_LIMITS.maxTagBytes
  if (form.length * 3 > maxBytes && utf8Length(form) > maxBytes) {
    throw invalidTag(tag, `its canonical form is over ${maxBytes} bytes; use a shorter key, such as an id or a hash`)
  }
  return form
}

/** The canonical form of one key: what instances, raw tags and the constants of a group are compared by. */
export function toKeyString(key: readonly JsonValue[]): string {
  return canonicalJson(key, key, 0)
}

function writeTag(tag: unknown): string {
  if (Array.isArray(tag)) return keyJson(tag, tag)
  if (!isPlainObject(tag) || typeof tag['path'] !== 'string') {
    throw invalidTag(tag, 'a tag is a non-empty array of JSON values, or comes from defineTags()')
  }
  const fault = pathFault(tag['path'])
  if (fault !== undefined) throw invalidTag(tag, `the path ${fault}`)
  const path = JSON.stringify(tag['path'])
  const fields = Object.keys(tag)
  if (fields.length === 1) return `{"path":${path}}`
  if (fields.length === 2 && 'key' in tag) return `{"key":${keyJson(tag['key'], tag)},"path":${path}}`
  if (fields.length === 2 && Array.isArray(tag['keys'])) {
    const keys = Array.from(tag['keys'], (key) => keyJson(key, tag))
    return `{"keys":[${keys.join()}],"path":${path}}`
  }
  throw invalidTag(tag, 'it has fields other than path and key, or path and keys')
}

function keyJson(key: unknown, tag: unknown): string {
  if (!Array.isArray(key) || key.length === 0) throw invalidTag(tag, 'a key is a non-empty array')
  return canonicalJson(key, tag, 0)
}

function canonicalJson(value: unknown, tag: unknown, depth: number): string {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return JSON.stringify(value)
  if (typeof value === 'number') {
    // JSON.stringify writes -0 as 0, so the two are one key.
    if (!Number.isFinite(value)) throw invalidTag(tag, `${value} is not JSON`)
    return JSON.stringify(value)
  }
  if (typeof value !== 'object') throw invalidTag(tag, `${typeof value} is not JSON`)
  if (depth === TAG_LIMITS.maxDepth) throw invalidTag(tag, `it is nested deeper than ${TAG_LIMITS.maxDepth}, or has a cycle`)
  if (Array.isArray(value)) return `[${Array.from(value, (item) => canonicalJson(item, tag, depth + 1)).join()}]`
  if (!isPlainObject(value)) throw invalidTag(tag, 'class instances are not JSON')
  const fields = Object.keys(value).sort()
  return `{${fields.map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name], tag, depth + 1)}`).join()}}`
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // A plain object of another realm (an iframe, a vm) has a prototype without one.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function utf8Length(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) bytes++
    // Each half of a surrogate pair counts two of its four bytes.
    if (unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff)) bytes++
  }
  return bytes
}
