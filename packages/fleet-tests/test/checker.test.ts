import { expect, it, onTestFinished } from 'vitest'
import { Fleet, type Verdict } from '../src/fleet.ts'
import type { StoreConfig } from '../src/store.ts'

/** Invalidations that have to be acknowledged before anything is counted. */
const BUSY = 200

async function verdictOn(kind: StoreConfig['kind'] & ('memory' | 'forgetful'), servers: number): Promise<Verdict> {
  const options = Array.from({ length: servers }, () => ({ store: { kind }, heartbeatMs: 500 }))
  const fleet = await Fleet.start({ seed: 1, clients: 40, servers: options })
  onTestFinished(() => fleet.close())
  fleet.begin()
  await expect.poll(() => fleet.tally.acknowledged, { timeout: 20_000 }).toBeGreaterThanOrEqual(BUSY)
  return fleet.settle(kind === 'memory' && servers === 1 ? 20_000 : 1500)
}

it('finds nothing lost where nothing is', async () => {
  expect(await verdictOn('memory', 1)).toMatchObject({ lost: 0, notLive: 0 })
})

it('finds what a registry lost that acknowledges more than it records', async () => {
  const { lost } = await verdictOn('forgetful', 1)

  expect(lost).toBeGreaterThan(0)
})

it('finds what is lost between processes that share nothing', async () => {
  const { lost } = await verdictOn('memory', 3)

  expect(lost).toBeGreaterThan(0)
})
