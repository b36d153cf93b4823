import { afterAll, beforeAll, expect, it } from 'vitest'
import { toLines, Trial } from '../src/trial.ts'

let trial: Trial
beforeAll(async () => {
  trial = await Trial.start({ seed: 6, clients: 60, servers: 3, heartbeatMs: 500 })
})
afterAll(async () => {
  console.log(trial.tally.toString())
  await trial.close()
})

// The others are in `pnpm faults`.
it.each([
  'server killed',
  'all messages lost',
  'redis restarted',
  'redis restarted empty',
  'redis paused',
  'flushed, and server killed',
  'replica without the tail promoted',
  'split brain',
])('nothing that was acknowledged is lost: %s (guarantee 1)', async (name) => {
  const round = await trial.round(name)

  console.log(toLines(round))
  expect(round).toMatchObject({ lost: 0, notLive: 0 })
  expect(round.tally.acknowledged).toBeGreaterThan(0)
  expect(trial.errors).toEqual([])
})
