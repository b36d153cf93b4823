import { describe, expect, it } from 'vitest'
import { readWatchAnswer } from '../../src/client/transport.ts'

const GLOBAL = '["global",null]'
const tags = [['a'], ['b']]

describe('a watch answer', () => {
  it('is read with what was missed, and where', () => {
    const at = [{ [GLOBAL]: 'e:1' }, { [GLOBAL]: 'e:2', '["user","7"]': 'f:3' }]

    expect(readWatchAnswer({ n: 1, tags, at })).toEqual({ n: 1, tags, at })
    expect(readWatchAnswer({ n: 1, tags })).toEqual({ n: 1, tags })
    expect(readWatchAnswer({ n: 1, expired: true })).toEqual({ n: 1, expired: true })
  })

  it.each([
    ['no list', 'e:1'],
    ['one of another length', [{ [GLOBAL]: 'e:1' }]],
    ['no place for a tag', [{ [GLOBAL]: 'e:1' }, {}]],
    ['a place that can’t be read', [{ [GLOBAL]: 'e:1' }, { [GLOBAL]: 'e' }]],
    ['no cursor', [{ [GLOBAL]: 'e:1' }, null]],
  ])('with %s for places is one without them (guarantee 1)', (_what, at) => {
    expect(readWatchAnswer({ n: 1, tags, at })).toEqual({ n: 1, tags })
  })

  it.each([[undefined], [null], ['x'], [{ n: 1 }], [{ n: 1, tags: [[]] }], [{ n: 1, expired: false }]])(
    'that is %j is none',
    (body) => {
      expect(() => readWatchAnswer(body)).toThrow(expect.objectContaining({ code: 'malformed-message' }))
    },
  )
})
