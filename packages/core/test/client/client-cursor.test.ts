import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  afterHello,
  afterReset,
  covers,
  doubtfulScopes,
  isReadAfter,
  olderRead,
  raised,
  resumeCursor,
  toCursor,
  type ClientCursor,
} from '../../src/client/client-cursor.ts'
import type { ReadPosition } from '../../src/client/client.ts'
import { MAX_CURSOR_SCOPES, parsePosition, type Cursor } from '../../src/protocol/cursor.ts'

const A = '["a",null]'
const B = '["b",null]'
const C = '["c",null]'

const NOWHERE: ClientCursor = {}
const first: ReadPosition = { first: true, cursor: undefined }
const at = (current: Cursor, page: Cursor = current): ClientCursor => ({ current, first: page })
const from = (cursor: Cursor): ReadPosition => ({ first: false, cursor })

const position = fc.tuple(fc.constantFrom('e', 'f'), fc.nat({ max: 4 })).map(([epoch, seq]) => `${epoch}:${seq}`)
const cursor: fc.Arbitrary<Cursor> = fc.dictionary(fc.constantFrom(A, B, C), position, { maxKeys: 3 })
const read: fc.Arbitrary<ReadPosition> = fc.record({
  first: fc.boolean(),
  cursor: fc.option(cursor, { nil: undefined }),
})
const client: fc.Arbitrary<ClientCursor> = fc.oneof(
  fc.constant(NOWHERE),
  fc.tuple(cursor, cursor).map(([c, f]) => at(c, f)),
)

const epochOf = (text: string | undefined): string | undefined => parsePosition(text)?.epoch

describe('a read position', () => {
  it('stands for its cursor, for the page’s first position, or for the older of both', () => {
    const here = at({ [A]: 'e:9', [B]: 'e:9' }, { [A]: 'e:3', [B]: 'e:3' })

    expect(toCursor(from({ [A]: 'e:5' }), here)).toEqual({ [A]: 'e:5' })
    expect(toCursor(first, here)).toEqual({ [A]: 'e:3', [B]: 'e:3' })
    expect(toCursor({ first: true, cursor: { [A]: 'e:5', [B]: 'e:1' } }, here)).toEqual({ [A]: 'e:3', [B]: 'e:1' })
  })

  it('is not known in a scope that the first hello did not bring', () => {
    expect(toCursor(first, at({ [A]: 'e:9', [B]: 'e:9' }, { [A]: 'e:3' }))).toEqual({ [A]: 'e:3' })
  })

  it('is not known at all when it is neither first nor has a cursor', () => {
    expect(toCursor({ first: false, cursor: undefined }, at({ [A]: 'e:9' }))).toEqual({})
  })

  it('is not known when it is of a user whose scopes are not this client’s, merged with another one too (guarantee 8)', () => {
    const here = at({ [A]: 'e:9' })
    const theirs = from({ [A]: 'e:5', [B]: 'e:5' })
    const ours = from({ [A]: 'e:4' })

    expect(toCursor(theirs, here)).toEqual({})
    expect(toCursor({ ...theirs, first: true }, here)).toEqual({})
    expect(toCursor(olderRead(theirs, ours, here), here)).toEqual({})
    expect(toCursor(olderRead(ours, theirs, here), here)).toEqual({})
    // Before the first hello nobody can tell whose is whose.
    expect(toCursor(olderRead(ours, theirs, NOWHERE), here)).toEqual({})
    expect(toCursor(olderRead(ours, from({ [A]: 'e:7' }), NOWHERE), here)).toEqual({ [A]: 'e:4' })
  })

  it('is after an invalidation where it was in every scope, and not when it may be as old as the page (guarantee 8)', () => {
    const there = { [A]: 'e:5', [B]: 'e:7' }

    expect(isReadAfter(from({ [A]: 'e:5', [B]: 'e:8' }), there)).toBe(true)
    expect(isReadAfter(from({ [A]: 'e:5', [B]: 'e:6' }), there)).toBe(false)
    expect(isReadAfter(from({ [A]: 'e:5', [B]: 'f:8' }), there)).toBe(false)
    expect(isReadAfter(from({ [A]: 'e:5' }), there)).toBe(false)
    expect(isReadAfter({ first: true, cursor: { [A]: 'e:9', [B]: 'e:9' } }, there)).toBe(false)
    expect(isReadAfter(first, there)).toBe(false)
    expect(isReadAfter(from({ [A]: 'e:9' }), { [A]: '' })).toBe(false)
  })

  it('is known, merged with another one, only where both are', () => {
    const merged = olderRead(from({ [A]: 'e:5', [B]: 'e:5' }), from({ [A]: 'e:4' }), at({ [A]: 'e:9', [B]: 'e:9' }))

    expect(merged).toEqual(from({ [A]: 'e:4' }))
  })

  it('keeps, of two epochs, the one that is not the cursor’s: it is answered with expired (guarantee 3)', () => {
    const here = at({ [A]: 'new:9' })

    expect(olderRead(from({ [A]: 'old:500' }), from({ [A]: 'new:2' }), here).cursor).toEqual({ [A]: 'old:500' })
    expect(olderRead(from({ [A]: 'new:2' }), from({ [A]: 'old:500' }), here).cursor).toEqual({ [A]: 'old:500' })
  })

  it('is not known where two epochs meet before the first hello: either may be the lost one (guarantee 3)', () => {
    expect(olderRead(from({ [A]: 'x:5', [B]: 'e:5' }), from({ [A]: 'y:5', [B]: 'e:6' }), NOWHERE).cursor).toEqual({
      [B]: 'e:5',
    })
  })

  it('merges to something that covers neither less than one nor less than the other, at any positions', () => {
    fc.assert(
      fc.property(read, read, client, (a, b, here) => {
        const merged = toCursor(olderRead(a, b, here), here)
        // Where the merged position is of the cursor's epoch, a server answers with a list: it has to reach back far enough.
        const listed = Object.keys(merged).filter((scope) => epochOf(merged[scope]) === epochOf(here.current?.[scope]))

        const short = [a, b].flatMap((one) =>
          listed.filter((scope) => !covers({ [scope]: merged[scope]! }, toCursor(one, here))),
        )

        expect(short).toEqual([])
      }),
    )
  })
})

describe('the cursor that a stream is asked to start at', () => {
  it('is the client’s own while nothing is unanswered', () => {
    expect(resumeCursor(at({ [A]: 'e:9' }), [])).toEqual({ [A]: 'e:9' })
    expect(resumeCursor(NOWHERE, [first])).toEqual({})
  })

  it('is, per scope, the smaller of the cursor and of all that is unanswered', () => {
    const here = at({ [A]: 'e:9', [B]: 'e:9' })

    expect(resumeCursor(here, [from({ [A]: 'e:5', [B]: 'e:20' }), from({ [A]: 'e:7', [B]: 'e:8' })])).toEqual({
      [A]: 'e:5',
      [B]: 'e:8',
    })
  })

  it('keeps to the cursor where an unanswered position has another epoch or none, and so is not covered', () => {
    const here = at({ [A]: 'new:9', [B]: 'e:9' })
    const asked = from({ [A]: 'old:5' })

    expect(resumeCursor(here, [asked])).toEqual({ [A]: 'new:9', [B]: 'e:9' })
    expect(covers({ [A]: 'new:9', [B]: 'e:9' }, toCursor(asked, here))).toBe(false)
  })

  it('takes what snapshots say before the first hello, the oldest of each scope', () => {
    const asked = [from({ [A]: 'e:5' }), first, from({ [A]: 'e:4', [B]: 'e:2' })]

    expect(resumeCursor(NOWHERE, asked)).toEqual({ [A]: 'e:4', [B]: 'e:2' })
  })

  it('never has more scopes than a server takes', () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`["s","${n}"]`, 'e:1']))

    expect(Object.keys(resumeCursor(NOWHERE, [from(many)]))).toHaveLength(MAX_CURSOR_SCOPES)
  })

  it('starts, wherever it is answered as asked, at or before each unanswered position that it covers, at any positions', () => {
    fc.assert(
      fc.property(client, fc.array(read, { maxLength: 4 }), (here, asked) => {
        const start = resumeCursor(here, asked)
        const wanted = [here.current ?? {}, ...asked.map((one) => toCursor(one, here))]

        const late = wanted.flatMap((one) =>
          Object.keys(start).filter(
            (scope) => epochOf(one[scope]) === epochOf(start[scope]) && !covers({ [scope]: start[scope]! }, one),
          ),
        )

        expect(late).toEqual([])
        expect(Object.keys(start)).toEqual(expect.arrayContaining(Object.keys(here.current ?? {})))
      }),
    )
  })
})

describe('a hello', () => {
  it('replaces the whole cursor, even backwards', () => {
    expect(afterHello(at({ [A]: 'e:9', [B]: 'e:9' }), { [A]: 'e:2' }, []).current).toEqual({ [A]: 'e:2' })
  })

  it('is the page’s first position when it is the first', () => {
    const one = afterHello(NOWHERE, { [A]: 'e:2' }, [])

    expect(one.first).toEqual({ [A]: 'e:2' })
    expect(afterHello(one, { [A]: 'e:7' }, []).first).toEqual({ [A]: 'e:2' })
  })

  it('is no first position in a scope in doubt: what the page read may be older (guarantee 8)', () => {
    expect(afterHello(NOWHERE, { [A]: 'e:2', [B]: 'e:2' }, [A]).first).toEqual({ [B]: 'e:2' })
  })

  it('leaves no doubt where it starts at or before what was sent', () => {
    expect(doubtfulScopes(at({ [A]: 'e:5' }), { [A]: 'e:5' }, { [A]: 'e:5' }, false)).toEqual([])
    expect(doubtfulScopes(at({ [A]: 'e:5' }), { [A]: 'e:5' }, { [A]: 'e:3' }, false)).toEqual([])
    expect(doubtfulScopes(NOWHERE, {}, { [A]: 'e:3' }, false)).toEqual([])
  })

  it('leaves a doubt where it starts after what was sent, or in another epoch (guarantee 3)', () => {
    expect(doubtfulScopes(at({ [A]: 'e:5' }), { [A]: 'e:5' }, { [A]: 'e:6' }, false)).toEqual([A])
    expect(doubtfulScopes(at({ [A]: 'e:5' }), { [A]: 'e:5' }, { [A]: 'f:1' }, false)).toEqual([A])
    expect(doubtfulScopes(NOWHERE, { [A]: 'e:5' }, { [A]: 'f:1' }, false)).toEqual([A])
  })

  it('leaves a doubt about a scope that a later one brings unasked (guarantee 3)', () => {
    expect(doubtfulScopes(at({ [A]: 'e:5' }), { [A]: 'e:5' }, { [A]: 'e:5', [B]: 'e:1' }, false)).toEqual([B])
  })

  it('leaves a doubt about a scope that the client was in and is in no longer (guarantee 8)', () => {
    expect(doubtfulScopes(at({ [A]: 'e:5', [B]: 'e:1' }), { [A]: 'e:5', [B]: 'e:1' }, { [A]: 'e:5' }, false)).toEqual([
      B,
    ])
    expect(doubtfulScopes(at({ [A]: 'e:5' }), { [A]: 'e:5', [B]: 'e:1' }, { [A]: 'e:5' }, false)).toEqual([])
  })

  it('leaves no doubt when no scope could be resolved: their resets follow', () => {
    expect(doubtfulScopes(at({ [A]: 'e:5', [B]: 'e:1' }), { [A]: 'e:5', [B]: 'e:1' }, {}, false)).toEqual([])
  })

  it('leaves a doubt about everything when the first one comes late (guarantee 1)', () => {
    expect(doubtfulScopes(NOWHERE, { [A]: 'e:5' }, { [A]: 'e:5', [B]: 'e:1' }, true)).toEqual([A, B])
    expect(doubtfulScopes(at({ [A]: 'e:5' }), { [A]: 'e:5' }, { [A]: 'e:5' }, true)).toEqual([])
  })
})

describe('the cursor', () => {
  it('is raised within an epoch, never lowered, and never given a scope (guarantee 5)', () => {
    const here = at({ [A]: 'e:5', [B]: 'e:5' })

    expect(raised(here, { [A]: 'e:7', [B]: 'e:3', [C]: 'e:9' }).current).toEqual({ [A]: 'e:7', [B]: 'e:5' })
    expect(raised(here, { [A]: 'f:7' }).current).toEqual({ [A]: 'e:5', [B]: 'e:5' })
  })

  it('is set by a reset, in the scopes that the reset is about only', () => {
    expect(afterReset(at({ [A]: 'e:5' }), [B], { [A]: 'e:9', [B]: 'f:1' }).current).toEqual({ [A]: 'e:5', [B]: 'f:1' })
  })
})
