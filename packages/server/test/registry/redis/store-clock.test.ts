import { describe, expect, it } from 'vitest'
import { StoreClock } from '../../../src/registry/redis/store-clock.ts'
import { FakeClock } from '../../support/fake-clock.ts'

/** A store of which the clock is some milliseconds ahead of ours, and answers that take 20 ms. */
async function observe(storeClock: StoreClock, clock: FakeClock, aheadMs: number): Promise<void> {
  const sentAt = clock.now()
  await clock.advance(10)
  const storeTimeUs = Math.round((clock.now() + aheadMs) * 1000)
  await clock.advance(10)
  storeClock.observe(storeTimeUs, sentAt)
}

describe('the clock of a store', () => {
  it('is trusted while it runs like ours, wherever it is', async () => {
    const clock = new FakeClock()
    const storeClock = new StoreClock(clock)

    for (let i = 0; i < 100; i++) {
      await observe(storeClock, clock, 5_000_000 + i * 0.5)
      await clock.advance(1000)
    }

    expect(storeClock.isDoubtful).toBe(false)
  })

  it('is doubted for ten minutes when it was set forward (guarantee 1)', async () => {
    const clock = new FakeClock()
    const storeClock = new StoreClock(clock)
    await observe(storeClock, clock, 0)
    await clock.advance(5000)

    await observe(storeClock, clock, 60_000)

    expect(storeClock.isDoubtful).toBe(true)
    await clock.advance(590_000)
    await observe(storeClock, clock, 60_000)
    expect(storeClock.isDoubtful).toBe(true)
    await clock.advance(20_000)
    expect(storeClock.isDoubtful).toBe(false)
  })

  it('is trusted when it was set back: an age then reaches back further', async () => {
    const clock = new FakeClock()
    const storeClock = new StoreClock(clock)
    await observe(storeClock, clock, 60_000)

    await observe(storeClock, clock, 0)

    expect(storeClock.isDoubtful).toBe(false)
    await observe(storeClock, clock, 60_000)
    expect(storeClock.isDoubtful).toBe(true)
  })

  it('is not doubted for answers that take long', async () => {
    const clock = new FakeClock()
    const storeClock = new StoreClock(clock)
    const storeNow = (): number => Math.round(clock.now() * 1000)
    const [sentAt, told] = [clock.now(), storeNow()]
    await clock.advance(5000)
    storeClock.observe(told, sentAt)

    await observe(storeClock, clock, 0)

    expect(storeClock.isDoubtful).toBe(false)
  })
})
