import { isDeepStrictEqual } from 'node:util'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { QueryTagsError } from '../../src/errors.ts'
import { TAG_LIMITS, type PlainTag } from '../../src/tags/tag.ts'
import { toTagKey } from '../../src/tags/tag-key.ts'
import { anyTag, json, reordered } from './arbitraries.ts'

/** For values that the types refuse. */
const keyOf = (tag: unknown): string => toTagKey(tag as PlainTag)

describe('the canonical form', () => {
  it.each([
    ['a raw tag', ['todo', 7, null, true, { b: 1, a: [] }], '["todo",7,null,true,{"a":[],"b":1}]'],
    ['an instance', { path: 'todos.byId', key: ['todo', '7'] }, '{"key":["todo","7"],"path":"todos.byId"}'],
    ['a family', { path: 'todos.byId' }, '{"path":"todos.byId"}'],
    ['a group', { path: 'todos', keys: [['todos'], ['a']] }, '{"keys":[["a"],["todos"]],"path":"todos"}'],
    [
      'a group with double keys',
      {
        path: 'a',
        keys: [
          ['x', { b: 1, a: 2 }],
          ['x', { a: 2, b: 1 }],
        ],
      },
      '{"keys":[["x",{"a":2,"b":1}]],"path":"a"}',
    ],
    ['a group without keys', { path: '', keys: [] }, '{"keys":[],"path":""}'],
    ['strings that JSON escapes', ['"\\\n\r\0\u2028é日😀'], '["\\"\\\\\\n\\r\\u0000\u2028é日😀"]'],
    ['half surrogate pairs', ['\ud83d', '\ude00'], '["\\ud83d","\\ude00"]'],
    ['-0', [-0, 0.5, 1e21, 1e-7], '[0,0.5,1e+21,1e-7]'],
    ['integer-like names', [{ b: 0, 10: 0, 9: 0 }], '[{"10":0,"9":0,"b":0}]'],
    ['an own __proto__', JSON.parse('[{"__proto__":1,"a":2}]'), '[{"__proto__":1,"a":2}]'],
    ['an object without prototype', [Object.assign(Object.create(null) as object, { a: 1 })], '[{"a":1}]'],
    ['names that Object.prototype has', [{ constructor: 1, toString: 2 }], '[{"constructor":1,"toString":2}]'],
  ])('of %s', (_what, tag, form) => {
    expect(keyOf(tag)).toBe(form)
  })

  it('takes literals of another realm', () => {
    const tag: unknown = runInNewContext('[["todo", { b: [1], a: {} }]]')

    expect(keyOf(tag)).toBe('[["todo",{"a":{},"b":[1]}]]')
  })

  it('differs for 5 and "5", true and "true", null and "null"', () => {
    const forms = [5, '5', true, 'true', null, 'null', [5], { a: 5 }].map((part) => keyOf(['x', part]))

    expect(new Set(forms).size).toBe(forms.length)
  })

  it('does not depend on the order of fields', () => {
    fc.assert(
      fc.property(anyTag(json), (tag) => {
        expect(keyOf(reordered(tag))).toBe(keyOf(tag))
      }),
    )
  })

  it('is JSON of the tag itself, and has itself as canonical form', () => {
    fc.assert(
      fc.property(anyTag(json), (tag) => {
        const form = keyOf(tag)

        expect(keyOf(JSON.parse(form))).toBe(form)
      }),
    )
  })

  it('is equal for two raw tags exactly when they are deeply equal', () => {
    const key = fc.array(fc.oneof(json, fc.constantFrom(5, '5', 0, '0', null, 'null')), { minLength: 1, maxLength: 2 })

    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(keyOf(a) === keyOf(b)).toBe(isDeepStrictEqual(a, b))
      }),
    )
  })

  it('holds no line break, NUL or lone surrogate, whatever the strings', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 30 }), (units) => {
        const form = keyOf([String.fromCharCode(...units)])

        expect(form).not.toMatch(/[\r\n\0]/)
        expect(new TextDecoder().decode(new TextEncoder().encode(form))).toBe(form)
        expect(JSON.parse(form)).toEqual([String.fromCharCode(...units)])
      }),
    )
  })
})

describe('refuses, naming the value', () => {
  class Money {
    amount = 5
  }
  const cycle: unknown[] = ['x']
  cycle.push(cycle)
  const cyclicObject: Record<string, unknown> = {}
  cyclicObject['self'] = cyclicObject
  const notATag = 'a tag comes from defineTags(), or is a non-empty array of JSON values'
  const noKey = 'a key is a non-empty array of JSON values'

  it.each([
    ['an empty array', [], `Invalid tag []: ${noKey}`],
    ['undefined', ['todo', undefined], 'Invalid tag ["todo",undefined]: undefined is not JSON'],
    [
      'a field that is undefined',
      ['todo', { id: undefined }],
      'Invalid tag ["todo",{"id":undefined}]: undefined is not JSON',
    ],
    // oxlint-disable-next-line no-sparse-arrays -- the case
    ['a hole', ['todo', , 7], 'Invalid tag ["todo",undefined,7]: undefined is not JSON'],
    ['NaN', ['todo', Number.NaN], 'Invalid tag ["todo",NaN]: NaN is not JSON'],
    ['Infinity', ['todo', -Infinity], 'Invalid tag ["todo",-Infinity]: -Infinity is not JSON'],
    ['a function', ['todo', () => 1], 'Invalid tag ["todo",() => 1]: () => 1 is not JSON'],
    ['a bigint', ['todo', 7n], 'Invalid tag ["todo",7n]: 7n is not JSON'],
    ['a symbol', ['todo', Symbol('x')], 'Invalid tag ["todo",Symbol(x)]: Symbol(x) is not JSON'],
    ['a Date', ['todo', new Date(0)], 'Invalid tag ["todo",<Date>]: <Date> is not JSON'],
    ['a Map', ['todo', new Map()], 'Invalid tag ["todo",<Map>]: <Map> is not JSON'],
    ['a typed array', [new Uint8Array(1)], 'Invalid tag [<Uint8Array>]: <Uint8Array> is not JSON'],
    ['a boxed primitive', [new String('x')], 'Invalid tag [<String>]: <String> is not JSON'],
    ['an instance', [{ price: new Money() }], 'Invalid tag [{"price":<Money>}]: <Money> is not JSON'],
    ['an instance of another realm', [runInNewContext('new Map()')], 'Invalid tag [<Map>]: <Map> is not JSON'],
    ['a toJSON method', [{ toJSON: () => 'x' }], 'is not JSON'],
    ['a promise', [Promise.resolve()], 'Invalid tag [<Promise>]: <Promise> is not JSON'],
    ['an array in a cycle', cycle, 'Invalid tag ["x",["x",["x",…]]]: it is over 16 levels deep, or cyclic'],
    ['an object in a cycle', [cyclicObject], 'Invalid tag [{"self":{"self":…}}]: it is over 16 levels deep, or cyclic'],
    ['a string', 'todos', `Invalid tag "todos": ${notATag}`],
    ['nothing', undefined, `Invalid tag undefined: ${notATag}`],
    ['null', null, `Invalid tag null: ${notATag}`],
    ['a number', 7, `Invalid tag 7: ${notATag}`],
    ['an object without path', { key: ['x'] }, `Invalid tag {"key":["x"]}: ${notATag}`],
    ['a path that is no string', { path: ['a'] }, `Invalid tag {"path":["a"]}: ${notATag}`],
    ['a bad path', { path: 'a..b' }, 'Invalid tag {"path":"a..b"}: a path has at most 8 names'],
    ['a reserved name', { path: 'a.then' }, 'Invalid tag {"path":"a.then"}: a path has at most 8 names'],
    ['another reserved name', { path: '__proto__' }, 'Invalid tag {"path":"__proto__"}: a path has at most 8 names'],
    ['a line break in the path', { path: 'a\nb' }, 'Invalid tag {"path":"a\\nb"}: a path has at most 8 names'],
    ['both key and keys', { path: 'a', key: ['x'], keys: [] }, notATag],
    ['an unknown field', { path: 'a', id: 1 }, `Invalid tag {"id":1,"path":"a"}: ${notATag}`],
    ['an own __proto__', JSON.parse('{"path":"a","__proto__":{"key":["x"]}}'), notATag],
    ['a field called "key,path"', { 'key,path': 1 }, notATag],
    ['an instance without key', { path: 'a', key: undefined }, `Invalid tag {"key":undefined,"path":"a"}: ${noKey}`],
    ['an instance with an empty key', { path: 'a', key: [] }, `Invalid tag {"key":[],"path":"a"}: ${noKey}`],
    ['a key that is like an array', { path: 'a', key: { length: 1, 0: 'x' } }, noKey],
    ['keys that are no array', { path: 'a', keys: 'x' }, `Invalid tag {"keys":"x","path":"a"}: ${notATag}`],
    [
      'a key in keys that is empty',
      { path: 'a', keys: [['x'], []] },
      `Invalid tag {"keys":[["x"],[]],"path":"a"}: ${noKey}`,
    ],
    // oxlint-disable-next-line no-sparse-arrays -- the case
    ['a hole in keys', { path: 'a', keys: [['x'], ,] }, noKey],
  ])('%s', (_what, tag, message) => {
    const run = (): string => keyOf(tag)

    expect(run).toThrow(QueryTagsError)
    expect(run).toThrow(message)
    expect(run).toThrow(expect.objectContaining({ code: 'invalid-tag' }))
  })

  it('with both ends of what is long, at most 80 characters of it', () => {
    const tag = { path: 'todos.byId', key: ['x'.repeat(1_000_000)] }

    expect(() => keyOf(tag)).toThrow(
      /^Invalid tag \{"key":\["x{36}…x{11}"\],"path":"todos.byId"\}: it is over 1024 bytes of JSON; use a shorter key, such as a hash$/,
    )
  })

  it('even what throws when it is looked at', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    const tag = [
      'x',
      undefined,
      {
        get y() {
          throw new Error('mine')
        },
      },
    ]
    revoke()

    expect(() => keyOf(tag)).toThrow('Invalid tag object: undefined is not JSON')
    expect(() => keyOf(['x', undefined, proxy])).toThrow('Invalid tag object: undefined is not JSON')
  })
})

describe('limits', () => {
  it.each([
    ['ASCII', 'x'],
    ['two-byte characters', 'é'],
    ['three-byte characters', '日'],
    ['four-byte characters', '😀'],
  ])('a tag has at most 1 KiB, in %s', (_what, unit) => {
    const text = unit.repeat((1024 - '[""]'.length) / Buffer.byteLength(unit))

    expect(Buffer.byteLength(keyOf([text]))).toBe(1024)
    expect(() => keyOf([`${text}x`])).toThrow('it is over 1024 bytes of JSON')
  })

  it('an instance has at most 1 KiB, path included', () => {
    const path = 'todos.byId'
    const room = 1024 - '{"key":[""],"path":""}'.length - path.length

    expect(keyOf({ path, key: ['x'.repeat(room)] })).toHaveLength(1024)
    expect(() => keyOf({ path, key: ['x'.repeat(room + 1)] })).toThrow('it is over 1024 bytes of JSON')
  })

  it('a group has at most 16 KiB', () => {
    const full = Array.from({ length: 15 }, (_, n) => [`${n}-`.padEnd(1000, 'x')])
    const room = 16_384 - keyOf({ path: 'a', keys: [...full, ['']] }).length

    expect(keyOf({ path: 'a', keys: [...full, ['x'.repeat(room)]] })).toHaveLength(16_384)
    expect(() => keyOf({ path: 'a', keys: [...full, ['x'.repeat(room + 1)]] })).toThrow(
      'it is over 16384 bytes of JSON',
    )
  })

  it('a key has at most 16 levels, itself included', () => {
    const nested = (levels: number): unknown => (levels === 1 ? ['x'] : [nested(levels - 1)])
    const objects = (levels: number): unknown => (levels === 1 ? { x: 1 } : { x: objects(levels - 1) })

    expect(keyOf(nested(16))).toBe(`${'['.repeat(16)}"x"${']'.repeat(16)}`)
    expect(keyOf({ path: 'a', key: nested(16) })).toContain('"x"')
    expect(keyOf({ path: 'a', keys: [[objects(15)]] })).toContain('"x"')
    expect(() => keyOf(nested(17))).toThrow('it is over 16 levels deep')
    expect(() => keyOf({ path: 'a', key: [objects(16)] })).toThrow('it is over 16 levels deep')
  })

  it('a path has at most 8 names and 200 characters', () => {
    expect(keyOf({ path: 'a.b.c.d.e.f.g.h' })).toBe('{"path":"a.b.c.d.e.f.g.h"}')
    expect(keyOf({ path: 'a'.repeat(200) })).toContain('aaa')
    expect(() => keyOf({ path: 'a.b.c.d.e.f.g.h.i' })).toThrow('a path has at most 8 names')
    expect(() => keyOf({ path: 'a'.repeat(201) })).toThrow('a path has at most 8 names, 200 characters')
  })

  it('are told as TAG_LIMITS', () => {
    expect(TAG_LIMITS).toEqual({
      maxDepth: 16,
      maxTagBytes: 1024,
      maxGroupBytes: 16_384,
      maxPathSegments: 8,
      maxPathLength: 200,
    })
  })

  it('refuse deep input without running out of stack', () => {
    expect(() => keyOf(JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`))).toThrow('it is over 16 levels deep')
  })
})
