import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { Fleet, type Verdict } from '../src/fleet.ts'
import type { StoreConfig } from '../src/store.ts'

const BUSY_MS = 1500

async function verdictOn(kind: StoreConfig['kind'] & ('memory' | 'forgetful'), servers: number): Promise<Verdict> {
  const options = Array.from({ length: servers }, () => ({ store: { kind }, heartbeatMs: 500 }))
  const fleet = await Fleet.start({ seed: 1, clients: 40, servers: options })
  onTestFinished(() => fleet.close())
  fleet.begin()
  await sleep(BUSY_MS)
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
