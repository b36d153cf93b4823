import { describe, expect, it } from 'vitest'
import { slotOf } from '../../../src/registry/redis/slot.ts'

describe('the slot of a key', () => {
  it.each([
    ['123456789', 12_739],
    ['foo', 12_182],
    ['{foo}.bar', 12_182],
    ['a{foo}b{bar}', 12_182],
  ])('of %s is %i', (key, slot) => {
    expect(slotOf(key)).toBe(slot)
  })

  it('is of the whole key when its braces hold nothing', () => {
    expect(slotOf('{}foo')).not.toBe(slotOf('foo'))
  })
})
