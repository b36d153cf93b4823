import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isQueryTagsError, QueryTagsError } from '../../src/errors.ts'
import { decodeCursor, decodeFrame, readTags } from '../../src/protocol/decode.ts'
import { frames } from './wire-examples.ts'

const AT = 'e:1'
const cursor = { '["global",null]': AT }
const hello = { v: 1, connection: 'c', cursor, heartbeatMs: 8000, retryMs: 0, scoped: false }
const invalidate = { scope: '["global",null]', at: AT, tags: [['x']] }
const heartbeat = { cursor, verified: true, retryMs: 0 }
const reset = { scopes: ['["global",null]'], cursor, reason: 'expired', spreadMs: 0 }
const bye = { reason: 'shutdown', retryMs: 0 }
const valid = { hello, invalidate, heartbeat, reset, bye }

describe('decodeFrame ignores', () => {
  it.each(Object.entries(valid))('fields of %s that it does not know', (event, data) => {
    const later = { ...data, added: { anything: [1] } }

    expect(decodeFrame(event, JSON.stringify(later))).toEqual({ event, data: later })
  })

  it.each(['later', 'message', 'ping', '', 'Hello', '__proto__', 'constructor', 'toString'])(
    'an event named "%s"',
    (event) => {
      expect(decodeFrame(event, JSON.stringify(hello))).toBeUndefined()
      expect(decodeFrame(event, 'not JSON')).toBeUndefined()
    },
  )

  it('a version on frames other than hello', () => {
    expect(decodeFrame('bye', JSON.stringify({ ...bye, v: 2 }))?.data).toEqual({ ...bye, v: 2 })
  })

  it('reasons that it does not know', () => {
    expect(decodeFrame('bye', '{"reason":"later","retryMs":5}')?.data).toEqual({ reason: 'later', retryMs: 5 })
    expect(decodeFrame('reset', JSON.stringify({ ...reset, reason: 'later' }))?.data).toMatchObject({ reason: 'later' })
  })
})

describe('decodeFrame refuses', () => {
  const present = Object.entries(valid).flatMap(([event, data]) =>
    Object.keys(data).map((field) => ({ event, field, data })),
  )
  const required = present.filter(({ event, field }) => !(event === 'invalidate' && field === 'at'))

  it.each(required)('$event without $field', ({ event, field, data }) => {
    const rest = Object.fromEntries(Object.entries(data).filter(([name]) => name !== field))

    expect(() => decodeFrame(event, JSON.stringify(rest))).toThrow(
      `Malformed "${event}" event, at its field "${field}": `,
    )
  })

  it.each(present)('$event with null for $field', ({ event, field, data }) => {
    expect(() => decodeFrame(event, JSON.stringify({ ...data, [field]: null }))).toThrow(QueryTagsError)
  })

  it.each([
    ['a hello whose version is a string', 'hello', { ...hello, v: '1' }, 'v'],
    ['a bad position in a cursor', 'hello', { ...hello, cursor: { '["global",null]': 'e' } }, 'cursor'],
    ['a bad scope in a cursor', 'heartbeat', { ...heartbeat, cursor: { global: AT } }, 'cursor'],
    ['a negative duration', 'hello', { ...hello, heartbeatMs: -1 }, 'heartbeatMs'],
    ['a duration in a string', 'bye', { ...bye, retryMs: '5' }, 'retryMs'],
    ['a bad spread', 'invalidate', { ...invalidate, spreadMs: 'soon' }, 'spreadMs'],
    ['a bad position', 'invalidate', { ...invalidate, at: 'e:-1' }, 'at'],
    ['a scope that is no identity', 'invalidate', { ...invalidate, scope: 'global' }, 'scope'],
    ['__proto__ for a scope', 'invalidate', { ...invalidate, scope: '__proto__' }, 'scope'],
    ['tags that are no list', 'invalidate', { ...invalidate, tags: { 0: ['x'], length: 1 } }, 'tags'],
    ['one bad tag among good ones', 'invalidate', { ...invalidate, tags: [['x'], []] }, 'tags'],
    ['a tag over its limit', 'invalidate', { ...invalidate, tags: [['x'.repeat(1024)]] }, 'tags'],
    ['one bad scope among good ones', 'reset', { ...reset, scopes: ['["global",null]', 'x'] }, 'scopes'],
    ['a flag in a string', 'heartbeat', { ...heartbeat, verified: 'true' }, 'verified'],
  ])('%s', (_what, event, data, field) => {
    expect(() => decodeFrame(event, JSON.stringify(data))).toThrow(
      `Malformed "${event}" event, at its field "${field}": `,
    )
  })

  it('a hello of another version, before it looks at other fields', () => {
    const later = '{"v":2,"connection":{"name":"c"}}'

    expect(() => decodeFrame('hello', later)).toThrow('The server speaks version 2, not 1')
    expect(() => decodeFrame('hello', later)).toThrow(expect.objectContaining({ code: 'unsupported-version' }))
  })

  it('a duration that no timer takes', () => {
    expect(() => decodeFrame('bye', '{"reason":"shutdown","retryMs":1e999}')).toThrow('at its field "retryMs"')
  })

  it.each(['', 'nonsense', '{', 'null', '1', '"x"', '[]', '[{}]', `${JSON.stringify(bye)}\n${JSON.stringify(bye)}`])(
    'data that are %j',
    (json) => {
      expect(() => decodeFrame('bye', json)).toThrow(expect.objectContaining({ code: 'malformed-message' }))
    },
  )

  it('with a short message, however long the data', () => {
    expect(() => decodeFrame('bye', `{"reason":"${'x'.repeat(1_000_000)}"}`)).toThrow(/^.{1,200}$/)
  })

  it('whatever is not a frame with malformed-message, never with an error of its own', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(valid)), fc.oneof(fc.string(), fc.json()), (event, json) => {
        let thrown: unknown
        try {
          decodeFrame(event, json)
        } catch (error) {
          thrown = error
        }

        expect(isQueryTagsError(thrown, 'malformed-message')).toBe(true)
      }),
    )
  })
})

describe('decodeCursor', () => {
  it('reads the ID of every golden frame that has one', () => {
    const cursors = Object.values(frames).flatMap(({ data }) => ('connection' in data ? [data.cursor] : []))

    expect(cursors.map((each) => decodeCursor(JSON.stringify(each)))).toEqual(cursors)
  })

  it.each(['', '5', 'null', 'abc', '{', '[]', '{"global":"e:1"}', '{"[\\"a\\",null]":1}'])(
    'finds no cursor in %j',
    (id) => {
      expect(decodeCursor(id)).toBeUndefined()
    },
  )

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (id) => {
        expect(() => decodeCursor(id)).not.toThrow()
      }),
    )
  })
})

describe('readTags', () => {
  it('gives back a list of valid tags', () => {
    const tags = [['x'], { path: 'a', key: [1] }, { path: 'a' }, { path: '', keys: [['x']] }]

    expect(readTags(tags)).toBe(tags)
    expect(readTags([])).toEqual([])
  })

  it.each([
    ['nothing', undefined],
    ['"*"', '*'],
    ['an object', { length: 0 }],
    ['a raw tag in place of a list', ['x']],
    ['null among the tags', [['x'], null]],
    ['an unknown kind of tag', [{ path: 'a', prefix: ['x'] }]],
  ])('finds no tags in %s', (_what, value) => {
    expect(readTags(value)).toBeUndefined()
  })
})
