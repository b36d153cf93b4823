import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { retryDelayMs } from '../../src/client/backoff.ts'

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('the delay before the next attempt', () => {
  it('is spread over all of the server’s retryMs after a healthy stream came to its end', () => {
    expect(retryDelayMs(0, 4000, 0)).toBe(0)
    expect(retryDelayMs(0, 4000, 0.75)).toBe(3000)
    expect(retryDelayMs(0, 0, 0.75)).toBe(0)
  })

  it('is spread over the server’s retryMs at the first failure, when that is longer', () => {
    expect(retryDelayMs(1, 30_500, 0.5)).toBe(15_500)
    expect(retryDelayMs(2, 30_500, 0.5)).toBe(1250)
  })

  it('has a ceiling that doubles from 1 s to 20 s', () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 2000].map((failures) => retryDelayMs(failures, 0, 1))

    expect(longest).toEqual([1000, 2000, 4000, 8000, 16_000, 20_000, 20_000, 20_000])
  })

  it('stays between 0.5 s and 20 s after a failure, at any chance', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), random, (failures, chance) => {
        const delayMs = retryDelayMs(failures, 0, chance)

        expect(delayMs).toBeGreaterThanOrEqual(500)
        expect(delayMs).toBeLessThanOrEqual(20_000)
      }),
    )
  })
})
