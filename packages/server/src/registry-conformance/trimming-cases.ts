import assert from 'node:assert/strict'
import type { Position } from '@query-tags/core'
import type { TagRegistry } from '../registry/tag-registry.ts'
import { entriesOf, SCOPE } from './checks.ts'
import type { Cases } from './registry-under-test.ts'

/** How many distinct tags the registries of these cases keep of a scope. */
export const BOUND = 8

/** What happens beyond a bound. A registry may trim more than it has to. */
export const trimmingCases: Cases = {
  'lets a position expire of which something newer was trimmed (guarantee 3)': async ({ registry }) => {
    const start = await registry.head(SCOPE)

    await recordEach(registry, 4 * BOUND)

    assert.equal(await registry.since(SCOPE, start), 'expired')
  },

  'answers completely or not at all, wherever it trimmed (guarantee 3)': async ({ registry }) => {
    const positions = await recordEach(registry, 4 * BOUND)

    let answered = 0
    for (const [i, position] of positions.entries()) {
      const answer = await registry.since(SCOPE, position)
      if (answer === 'expired') {
        assert.equal(answered, 0, 'a newer position than one that was answered')
        continue
      }
      answered++
      const after = positions.slice(i + 1).map(({ seq }, j) => ({ seq, keys: [`["t",${i + 1 + j}]`] }))
      assert.deepEqual(entriesOf(answer), after)
    }
    assert.ok(answered >= 1, 'the head is answered for')
    assert.ok(answered <= BOUND + 1, `${answered - 1} tags were kept`)
  },

  'does not answer for an age that reaches below the floor (guarantee 3)': async (under) => {
    const { registry } = under
    await registry.head(SCOPE)
    await under.elapse(1000)
    const positions = await recordEach(registry, 4 * BOUND)

    const tookMs = (positions.at(-1)!.seq - positions[0]!.seq) / 1000

    // Within the epoch, but before the first tag that was trimmed.
    assert.equal(await registry.since(SCOPE, { ageMs: tookMs + 900 }), 'expired')
  },

  'keeps its epoch and goes on (guarantee 4)': async ({ registry }) => {
    const { epoch } = await registry.head(SCOPE)

    const positions = await recordEach(registry, 4 * BOUND)

    assert.ok(positions.every((position, i) => i === 0 || position.seq > positions[i - 1]!.seq))
    assert.deepEqual(await registry.head(SCOPE), positions.at(-1))
    assert.equal(positions.at(-1)!.epoch, epoch)
  },

  'keeps the floor when the trimmed tag comes again (guarantee 3)': async ({ registry }) => {
    const start = await registry.head(SCOPE)
    await recordEach(registry, 4 * BOUND)

    await registry.record(SCOPE, [['t', 0]])

    assert.equal(await registry.since(SCOPE, start), 'expired')
  },

  'takes more tags in one call than it keeps, and says so (guarantee 3)': async ({ registry }) => {
    const start = await registry.head(SCOPE)

    const position = await registry.record(
      SCOPE,
      Array.from({ length: 4 * BOUND }, (_, i) => ['t', i]),
    )

    assert.equal(await registry.since(SCOPE, start), 'expired')
    assert.deepEqual(await registry.since(SCOPE, position), { from: position, entries: [], head: position })
  },
}

async function recordEach(registry: TagRegistry, count: number): Promise<Position[]> {
  const positions: Position[] = []
  for (let i = 0; i < count; i++) positions.push(await registry.record(SCOPE, [['t', i]]))
  return positions
}
