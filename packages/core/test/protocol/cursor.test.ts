import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatPosition,
  MAX_CURSOR_SCOPES,
  olderCursor,
  olderPosition,
  parsePosition,
  raiseCursor,
  readCursor,
  type Cursor,
} from '../../src/protocol/cursor.ts'
import { toScopeId } from '../../src/protocol/scope.ts'

const GLOBAL = toScopeId({ kind: 'global' })
const USER = toScopeId({ kind: 'user', id: '7' })

const seq = fc.oneof(fc.nat({ max: 5 }), fc.maxSafeNat())
const position = (epochs: readonly string[]): fc.Arbitrary<string> =>
  fc.record({ epoch: fc.constantFrom(...epochs), seq: fc.nat({ max: 5 }) }).map(formatPosition)
const cursor = (epochs: readonly string[]): fc.Arbitrary<Cursor> =>
  fc.dictionary(fc.constantFrom(GLOBAL, USER, '["c",null]'), position(epochs), { maxKeys: 3 })

const ofScopes = (count: number): unknown =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`["scope","${n}"]`, 'e:1']))

const epochOf = (text: string): string => parsePosition(text)!.epoch
const seqOf = (text: string): number => parsePosition(text)!.seq

describe('a position', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\w-]{1,64}$/), seq, (epoch, number) => {
        expect(parsePosition(formatPosition({ epoch, seq: number }))).toEqual({ epoch, seq: number })
      }),
    )
  })

  it('has one text only', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\w-]{1,3}:\d{1,4}$/), (text) => {
        const read = parsePosition(text)

        expect(read === undefined || formatPosition(read) === text).toBe(true)
      }),
    )
  })

  it.each([
    '',
    ':',
    'e',
    'e:',
    ':1',
    'e:-1',
    'e:+1',
    'e:1.5',
    'e:1e3',
    'e:0x1',
    'e:01',
    'e:00',
    'e: 1',
    'e:1 ',
    'e:1\n',
    '\ne:1',
    'e:1:2',
    'e e:1',
    'é:1',
    'e:٣',
    'e:9007199254740992',
    'e:99999999999999999999',
    `${'e'.repeat(65)}:1`,
    1,
    null,
    undefined,
    { epoch: 'e', seq: 1 },
    ['e:1'],
  ])('is not %j', (text) => {
    expect(parsePosition(text)).toBeUndefined()
  })

  it('reaches the greatest safe integer, and 64 characters of epoch', () => {
    expect(parsePosition('e:9007199254740991')).toEqual({ epoch: 'e', seq: Number.MAX_SAFE_INTEGER })
    expect(parsePosition(`${'e'.repeat(64)}:0`)).toEqual({ epoch: 'e'.repeat(64), seq: 0 })
  })
})

describe('a cursor from outside', () => {
  it('is taken when every entry is a scope identity with a position', () => {
    expect(readCursor({ [GLOBAL]: 'e:1', [USER]: 'f:2' })).toEqual({ [GLOBAL]: 'e:1', [USER]: 'f:2' })
    expect(readCursor({})).toEqual({})
  })

  it('has at most 17 scopes', () => {
    expect(MAX_CURSOR_SCOPES).toBe(17)
    expect(readCursor(ofScopes(17))).toEqual(ofScopes(17))
    expect(readCursor(ofScopes(18))).toBeUndefined()
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a string', 'e:1'],
    ['an array', ['e:1']],
    ['an instance', new Map([[GLOBAL, 'e:1']])],
    ['a bad position', { [GLOBAL]: 'e' }],
    ['a position that is no string', { [GLOBAL]: 1 }],
    ['one bad position among good ones', { [GLOBAL]: 'e:1', [USER]: '' }],
    ['a scope that is no identity', { global: 'e:1' }],
    ['__proto__ as a scope', JSON.parse('{"__proto__":"e:1"}')],
    ['constructor as a scope', { constructor: 'e:1' }],
    ['a scope that is too long', { [`["${'x'.repeat(4000)}"]`]: 'e:1' }],
  ])('is not %s', (_what, value) => {
    expect(readCursor(value)).toBeUndefined()
  })

  it('may have the longest scope there is', () => {
    const scope = toScopeId({ kind: '\0'.repeat(256), id: '\ud800'.repeat(256) })

    expect(readCursor({ [scope]: 'e:1' })).toEqual({ [scope]: 'e:1' })
  })
})

describe('raiseCursor', () => {
  it('raises one scope within its epoch', () => {
    expect(raiseCursor({ [GLOBAL]: 'e:1', [USER]: 'f:1' }, GLOBAL, 'e:5')).toEqual({ [GLOBAL]: 'e:5', [USER]: 'f:1' })
  })

  it.each([
    ['the same position', { [GLOBAL]: 'e:5' }, 'e:5'],
    ['an older one', { [GLOBAL]: 'e:5' }, 'e:4'],
    ['another epoch: only a hello or a reset says what is lost', { [GLOBAL]: 'e:5' }, 'f:9'],
    ['a scope that the cursor lacks: only a reset brings it', { [USER]: 'e:5' }, 'e:9'],
    ['no position', { [GLOBAL]: 'e:5' }, 'nonsense'],
  ])('gives back the same cursor for %s', (_what, held, to) => {
    expect(raiseCursor(held, GLOBAL, to)).toBe(held)
  })

  it('leaves names alone that every object has', () => {
    expect(raiseCursor({}, 'constructor', 'e:1')).toEqual({})
    expect(raiseCursor({}, '__proto__', 'e:1')).toEqual({})
  })

  it('never lowers, and does not change the cursor that it was given', () => {
    fc.assert(
      fc.property(cursor(['e', 'f']), position(['e', 'f']), (held, to) => {
        const before = { ...held }
        const raised = raiseCursor(held, GLOBAL, to)

        expect(held).toEqual(before)
        expect(Object.keys(raised)).toEqual(Object.keys(held))
        for (const [scope, at] of Object.entries(held)) {
          expect(epochOf(raised[scope]!)).toBe(epochOf(at))
          expect(seqOf(raised[scope]!)).toBeGreaterThanOrEqual(seqOf(at))
        }
      }),
    )
  })

  it('ends in the same cursor in any order, and when a position comes twice', () => {
    fc.assert(
      fc.property(cursor(['e', 'f']), fc.array(position(['e', 'f'])), (held, positions) => {
        const raiseAll = (all: readonly string[]): Cursor => all.reduce((at, to) => raiseCursor(at, GLOBAL, to), held)

        expect(raiseAll([...positions].reverse())).toEqual(raiseAll(positions))
        expect(raiseAll([...positions, ...positions])).toEqual(raiseAll(positions))
      }),
    )
  })
})

describe('olderPosition', () => {
  it.each([
    ['the smaller of one epoch', 'e:3', 'e:7', 'e', 'e:3'],
    ['the smaller of one epoch, current or not', 'e:3', 'e:7', 'f', 'e:3'],
    ['by number, not by text', 'e:9', 'e:10', 'e', 'e:9'],
    ['the one that is not of the current epoch', 'e:1', 'f:9', 'e', 'f:9'],
    ['the first where neither is of the current epoch', 'e:1', 'f:9', 'g', 'e:1'],
    ['the first where there is no current epoch', 'e:1', 'f:9', undefined, 'e:1'],
    ['what is no position, since it is answered with expired', 'nonsense', 'e:1', 'e', 'nonsense'],
  ])('is %s', (_what, a, b, current, older) => {
    expect(olderPosition(a, b, current)).toBe(older)
  })

  it('does not depend on the order of the two, unless both are of other epochs', () => {
    fc.assert(
      fc.property(position(['e', 'f', 'g']), position(['e', 'f', 'g']), (a, b) => {
        fc.pre(epochOf(a) === epochOf(b) || [a, b].some((text) => epochOf(text) === 'e'))

        expect(olderPosition(a, b, 'e')).toBe(olderPosition(b, a, 'e'))
      }),
    )
  })
})

describe('olderCursor', () => {
  const current: Cursor = { [GLOBAL]: 'e:9', [USER]: 'e:9', '["c",null]': 'e:9' }

  it('leaves out a scope that either lacks, since unknown is older than anything', () => {
    expect(olderCursor({ [GLOBAL]: 'e:3', [USER]: 'e:1' }, { [GLOBAL]: 'e:2' }, current)).toEqual({ [GLOBAL]: 'e:2' })
    expect(olderCursor({}, { [GLOBAL]: 'e:2' }, current)).toEqual({})
  })

  it('leaves out a scope whose epochs differ while the current one is not known: neither may stand for the other', () => {
    expect(olderCursor({ [GLOBAL]: 'e:3', [USER]: 'e:3' }, { [GLOBAL]: 'f:2', [USER]: 'e:2' }, {})).toEqual({
      [USER]: 'e:2',
    })
  })

  it('compares with the epoch of each scope of the current cursor', () => {
    const older = olderCursor(
      { [GLOBAL]: 'e:1', [USER]: 'e:1' },
      { [GLOBAL]: 'f:2', [USER]: 'f:2' },
      { [GLOBAL]: 'e:9', [USER]: 'f:9' },
    )

    expect(older).toEqual({ [GLOBAL]: 'f:2', [USER]: 'e:1' })
  })

  it('is idempotent', () => {
    fc.assert(
      fc.property(cursor(['e', 'f']), (a) => {
        expect(olderCursor(a, a, current)).toBe(a)
        expect(olderCursor(a, { ...a }, current)).toEqual(a)
      }),
    )
  })

  it('is commutative where at most one of two epochs is not the current one', () => {
    fc.assert(
      fc.property(cursor(['e', 'f']), cursor(['e', 'f']), (a, b) => {
        expect(olderCursor(a, b, current)).toEqual(olderCursor(b, a, current))
      }),
    )
  })

  it('is associative where at most one of two epochs is not the current one', () => {
    const of = cursor(['e', 'f'])

    fc.assert(
      fc.property(of, of, of, (a, b, c) => {
        const leftFirst = olderCursor(olderCursor(a, b, current), c, current)
        const rightFirst = olderCursor(a, olderCursor(b, c, current), current)

        expect(leftFirst).toEqual(rightFirst)
      }),
    )
  })

  it('is never newer than either', () => {
    fc.assert(
      fc.property(cursor(['e', 'f', 'g']), cursor(['e', 'f', 'g']), (a, b) => {
        const older = olderCursor(a, b, current)
        const shared = Object.keys(a).filter((scope) => Object.hasOwn(b, scope))

        expect(Object.keys(older)).toEqual(shared)
        for (const scope of shared) {
          const both = [a[scope]!, b[scope]!]
          const isOtherEpoch = epochOf(older[scope]!) !== 'e'

          expect(both).toContain(older[scope])
          // Expired, whatever the server knows; or at or before both.
          expect(isOtherEpoch || both.every((at) => epochOf(at) === 'e' && seqOf(older[scope]!) <= seqOf(at))).toBe(
            true,
          )
        }
      }),
    )
  })
})
