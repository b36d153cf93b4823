import type { PlainTag } from '@query-tags/core'
import { describe, expect, it } from 'vitest'
import { RecentWrites } from '../../../src/registry/redis/recent-writes.ts'
import { FakeClock } from '../../support/fake-clock.ts'

function distinct(count: number, name = 't'): PlainTag[] {
  return Array.from({ length: count }, (_, i) => [name, i])
}

describe('what a process recorded lately', () => {
  it('is recorded again where the scope has another history, each tag once', () => {
    const recent = new RecentWrites(new FakeClock())
    recent.add('s', 'e1-old', [['a'], ['b']])
    recent.add('s', 'e2-old', [['a']])

    expect(recent.see('s', 'e3-new')).toEqual({ kind: 'record', tags: [['b'], ['a']] })
    expect(recent.see('s', 'e3-new')).toBeUndefined()
    expect(recent.see('another', 'e3-new')).toBeUndefined()
  })

  it('needs nothing where the scope only began anew: everybody there is reset after it', () => {
    const recent = new RecentWrites(new FakeClock())
    recent.add('s', 'e1-same', [['a']])

    expect(recent.see('s', 'e2-same')).toBeUndefined()
  })

  it('is asked for again after a repair that failed', () => {
    const recent = new RecentWrites(new FakeClock())
    recent.add('s', 'e1-old', [['a']])
    recent.see('s', 'e2-new')

    recent.undo('s')

    expect(recent.see('s', 'e2-new')).toEqual({ kind: 'record', tags: [['a']] })
  })

  it('is kept for five minutes, and looked at when nobody else does', async () => {
    const clock = new FakeClock()
    const recent = new RecentWrites(clock)
    recent.add('s', 'e1-old', [['a']])
    expect(recent.due(false)).toEqual([])
    expect(recent.due(true)).toEqual(['s'])

    await clock.advance(200_000)
    recent.add('s', 'e1-old', [['b']])
    await clock.advance(150_000)

    expect(recent.due(false)).toEqual(['s'])
    expect(recent.see('s', 'e2-new')).toEqual({ kind: 'record', tags: [['b']] })
    await clock.advance(200_000)
    expect(recent.due(true)).toEqual([])
    expect(recent.isEmpty).toBe(true)
  })

  it('beyond 10,000 tags lets the longest unused scope begin anew instead', () => {
    const recent = new RecentWrites(new FakeClock())
    for (let i = 0; i < 10; i++) recent.add('first', 'e1-old', distinct(1000, `t${i}`))
    recent.add('second', 'e1-old', [['a']])

    expect(recent.see('first', 'e2-new')).toEqual({ kind: 'renew' })
    expect(recent.see('second', 'e2-new')).toEqual({ kind: 'record', tags: [['a']] })
  })

  it('is bounded in scopes, too', () => {
    const recent = new RecentWrites(new FakeClock())
    for (let i = 0; i < 60_000; i++) recent.add(`s${i}`, 'e1-old', [['a']])

    expect(recent.due(true)).toHaveLength(50_000)
    expect(recent.see('s10000', 'e2-new')).toEqual({ kind: 'renew' })
    expect(recent.see('s59999', 'e2-new')).toEqual({ kind: 'record', tags: [['a']] })
  })
})
