import { expect, it } from 'vitest'
import { ENOUGH_SEEDS, EXPECTED } from '../src/expected.ts'
import { run } from '../src/run.ts'
import { simulate } from '../src/simulate.ts'
import { Trace, type Tally } from '../src/trace.ts'

const SEEDS = Number(process.env['SIMULATOR_SEEDS'] ?? 1000)

it('gives the same trace for the same seed, and another for another', async () => {
  const first = await traced(7)
  const again = await traced(7)
  const other = await traced(8)
  const untraced = await run(7)

  expect(again.hash).toBe(first.hash)
  expect(again.tally.entries()).toEqual(first.tally.entries())
  expect(untraced.tally.entries()).toEqual(first.tally.entries())
  expect(other.hash).not.toBe(first.hash)
})

it(`loses nothing in ${SEEDS} worlds (guarantees 1, 3, 5-7, 9-14)`, { timeout: 900_000 }, async () => {
  const { faulty, tally } = await simulate({ from: 1, seeds: SEEDS, jobs: 2 })

  const told = faulty.map(({ seed, faults }) => `${faults[0]}: npx -y pnpm@12.21.0 simulate --seed ${seed}`)
  expect(told).toEqual([])
  const expected = SEEDS < ENOUGH_SEEDS ? [] : EXPECTED
  expect(expected.filter((name) => tally.of(name) === 0)).toEqual([])
})

async function traced(seed: number): Promise<{ readonly hash: string; readonly tally: Tally }> {
  const trace = new Trace()
  const { tally } = await run(seed, trace)
  return { hash: trace.hash, tally }
}
