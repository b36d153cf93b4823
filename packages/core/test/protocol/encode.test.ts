import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Cursor } from '../../src/protocol/cursor.ts'
import { decodeCursor, decodeFrame } from '../../src/protocol/decode.ts'
import { encodeCursor, encodeFrame, encodeInvalidate } from '../../src/protocol/encode.ts'
import { toScopeId } from '../../src/protocol/scope.ts'
import { toTagKey } from '../../src/tags/tag-key.ts'
import { anyTag, json } from '../tags/arbitraries.ts'
import { readEvents } from './read-events.ts'

/** Any UTF-16 at all, half surrogate pairs included, and the characters that end lines more often than others do. */
const hostile = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0, 10, 13, 0x22, 0x2028, 0xd800)), {
    minLength: 1,
    maxLength: 20,
  })
  .map((units) => String.fromCharCode(...units))
const scopeId = fc.tuple(hostile, hostile).map(([kind, id]) => toScopeId({ kind, id }))
const cursor: fc.Arbitrary<Cursor> = fc.dictionary(scopeId, fc.constantFrom('e:1', 'f:2'), { maxKeys: 3 })

it('a cursor in an event ID is printable ASCII, and is read as it was written', () => {
  fc.assert(
    fc.property(cursor, (at) => {
      const id = encodeCursor(at)

      expect(id).toMatch(/^[ -~]*$/)
      expect(decodeCursor(id)).toEqual(at)
    }),
  )
})

it('one frame is one event with one line of data, whatever the strings in it', () => {
  fc.assert(
    fc.property(cursor, hostile, (at, connection) => {
      const data = { v: 1, connection, cursor: at, heartbeatMs: 8000, retryMs: 0, scoped: true }
      const text = encodeFrame('hello', data)
      const events = readEvents(text)

      expect(text).toMatch(/^event: hello\nid: [ -~]*\ndata: [^\r\n\0]*\n\n$/)
      expect(events).toHaveLength(1)
      expect(events[0]!.lastEventId).toBe(encodeCursor(at))
      expect(decodeFrame(events[0]!.event, events[0]!.data)).toEqual({ event: 'hello', data })
    }),
  )
})

it('a frame survives UTF-8', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const frame = encodeInvalidate(toScopeId({ kind: text }), 'e:1', [toTagKey([text])])

      expect(Buffer.from(frame).toString()).toBe(frame)
    }),
  )
})

it('invalidated tags are read as the tags that were encoded', () => {
  fc.assert(
    fc.property(fc.array(anyTag(json), { maxLength: 4 }), scopeId, fc.nat({ max: 3 }), (tags, scope, spreadMs) => {
      const forms = tags.map(toTagKey)
      const [event] = readEvents(encodeInvalidate(scope, 'e:1', forms, spreadMs))
      const frame = decodeFrame(event!.event, event!.data)

      expect(frame).toEqual({
        event: 'invalidate',
        data: {
          scope,
          at: 'e:1',
          tags: forms.map((form): unknown => JSON.parse(form)),
          ...(spreadMs > 0 && { spreadMs }),
        },
      })
    }),
  )
})

it('only hello and heartbeat carry an ID, since only they say the whole cursor of a connection', () => {
  const at = { '["global",null]': 'e:1' }

  expect(encodeFrame('heartbeat', { cursor: at, verified: true, retryMs: 0 })).toContain('\nid: ')
  expect(
    encodeFrame('reset', { scopes: ['["global",null]'], cursor: at, reason: 'expired', spreadMs: 0 }),
  ).not.toContain('\nid:')
  expect(encodeFrame('bye', { reason: 'shutdown', retryMs: 0 })).not.toContain('\nid:')
  expect(encodeInvalidate('["global",null]', 'e:1', ['["x"]'])).not.toContain('\nid:')
})

it('an invalidation without a spread says none', () => {
  expect(encodeInvalidate('["global",null]', 'e:1', ['["x"]'])).not.toContain('spreadMs')
  expect(encodeInvalidate('["global",null]', 'e:1', ['["x"]'], 0)).not.toContain('spreadMs')
})
