import * as fc from 'fast-check'
import type { JsonValue, PlainTag } from '../../src/tags/tag.ts'

type Key = readonly JsonValue[]

/** Any JSON that is small enough for two of it to fit in a tag. */
export const json: fc.Arbitrary<JsonValue> = fc
  .jsonValue({ depthSize: 'small', maxDepth: 3, stringUnit: 'binary' })
  .filter((value) => JSON.stringify(value).length < 150) as fc.Arbitrary<JsonValue>

/** Few keys, some of them nearly equal, so that random tags meet. */
const collidingPart: fc.Arbitrary<JsonValue> = fc.constantFrom<JsonValue[]>(5, '5', 'x', { a: 1, b: 2 }, { b: 2, a: 1 })

/** Few paths, some of them prefixes of others as strings but not as paths. */
const collidingPath: fc.Arbitrary<string> = fc.constantFrom('', 'a', 'a.b', 'a.b.c', 'a.bc', 'ab', 'a.b.c.d', 'b')

/** A raw tag, an instance, a family or a group, with keys made of such parts. */
export function anyTag(part: fc.Arbitrary<JsonValue>): fc.Arbitrary<PlainTag> {
  const key: fc.Arbitrary<Key> = fc.array(part, { minLength: 1, maxLength: 2 })
  return fc.oneof(
    key as fc.Arbitrary<PlainTag>,
    fc.record({ path: collidingPath, key }),
    fc.record({ path: collidingPath }),
    fc.record({ path: collidingPath, keys: fc.array(key, { maxLength: 3 }) }),
  )
}

/** Tags that often overlap. */
export const collidingTag: fc.Arbitrary<PlainTag> = anyTag(collidingPart)

/** The same value with the fields of each object in the opposite order. */
export function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).reverse()
  return Object.fromEntries(entries.map(([name, item]) => [name, reordered(item)]))
}
