import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { QueryTagsError } from '../../src/errors.ts'
import { fromScopeId, GLOBAL_SCOPE, isScopeId, toScopeId, type Scope } from '../../src/protocol/scope.ts'

const part = fc.string({ minLength: 1, maxLength: 256, unit: 'binary' }).filter(({ length }) => length <= 256)
const scope: fc.Arbitrary<Scope> = fc.oneof(fc.record({ kind: part }), fc.record({ kind: part, id: part }))

describe('the identity of a scope', () => {
  it.each([
    [GLOBAL_SCOPE, '["global",null]'],
    [{ kind: 'user', id: '7' }, '["user","7"]'],
    [{ kind: 'admins' }, '["admins",null]'],
    [{ kind: 'user', id: 'null' }, '["user","null"]'],
    [{ kind: 'a","b', id: 'c' }, '["a\\",\\"b","c"]'],
    [{ kind: 'user', id: 'Zoë\r\n\0' }, '["user","Zoë\\r\\n\\u0000"]'],
  ])('of %j is %s', (of, id) => {
    expect(toScopeId(of)).toBe(id)
    expect(fromScopeId(id)).toEqual(of)
  })

  it('tells the scope again', () => {
    fc.assert(
      fc.property(scope, (of) => {
        const id = toScopeId(of)

        expect(fromScopeId(id)).toEqual(of)
        expect(isScopeId(id)).toBe(true)
      }),
    )
  })

  it('is equal for equal scopes only', () => {
    fc.assert(
      fc.property(scope, scope, (a, b) => {
        expect(toScopeId(a) === toScopeId(b)).toBe(a.kind === b.kind && a.id === b.id)
      }),
    )
  })

  it('ignores what else the object has', () => {
    const user = { kind: 'user', id: '7', name: 'Zoë' }

    expect(toScopeId(user)).toBe('["user","7"]')
  })
})

describe('toScopeId refuses, with the value', () => {
  const badKind = 'kind must be a string of 1 to 256 characters'
  const badId = 'id, when present, must be a string of 1 to 256 characters'

  it.each([
    [
      'an id that is undefined',
      { kind: 'user', id: undefined },
      `Invalid scope {"id":undefined,"kind":"user"}: ${badId}`,
    ],
    ['an empty id', { kind: 'user', id: '' }, `Invalid scope {"id":"","kind":"user"}: ${badId}`],
    ['a number for an id', { kind: 'user', id: 7 }, `Invalid scope {"id":7,"kind":"user"}: ${badId}`],
    ['null for an id', { kind: 'user', id: null }, `Invalid scope {"id":null,"kind":"user"}: ${badId}`],
    ['an inherited id', Object.create({ kind: 'user', id: undefined }), badId],
    ['a long id', { kind: 'user', id: 'x'.repeat(257) }, badId],
    ['no kind', { id: '7' }, `Invalid scope {"id":"7"}: ${badKind}`],
    ['an empty kind', { kind: '' }, `Invalid scope {"kind":""}: ${badKind}`],
    ['a long kind', { kind: 'x'.repeat(257) }, badKind],
    ['an array', ['user', '7'], `Invalid scope ["user","7"]: ${badKind}`],
    ['a string', 'user', 'Invalid scope "user": it is not an object { kind, id? }'],
    ['null', null, 'Invalid scope null: it is not an object { kind, id? }'],
    ['undefined', undefined, 'Invalid scope undefined: it is not an object { kind, id? }'],
  ])('%s', (_what, value, message) => {
    const run = (): string => toScopeId(value as Scope)

    expect(run).toThrow(QueryTagsError)
    expect(run).toThrow(message)
    expect(run).toThrow(expect.objectContaining({ code: 'invalid-scope' }))
  })

  it('nothing at exactly 256 characters', () => {
    const longest = { kind: 'k'.repeat(256), id: 'i'.repeat(256) }

    expect(fromScopeId(toScopeId(longest))).toEqual(longest)
  })
})

describe('a string from outside', () => {
  it.each([
    '',
    'global',
    '__proto__',
    'constructor',
    ' ["global",null]',
    '{"kind":"user"}',
    `["${'x'.repeat(5000)}"]`,
    7,
    null,
    undefined,
    [],
  ])('is no scope identity when it is %j', (text) => {
    expect(isScopeId(text)).toBe(false)
  })
})
