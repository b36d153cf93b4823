import assert from 'node:assert/strict'
import type { Position } from '@query-tags/core'
import type { Missed } from '../registry/tag-registry.ts'
import { found, SCOPE } from './checks.ts'
import type { Cases } from './registry-under-test.ts'

const WRITES = 60

/** Reads and writes at the same time. */
export const concurrencyCases: Cases = {
  'leaves nothing out of a read that others write beside (guarantee 3)': async ({ registry }) => {
    const start = await registry.head(SCOPE)
    const recorded = new Map<number, Position>()
    const answers: Promise<Missed | 'expired'>[] = []

    await Promise.all(
      Array.from({ length: WRITES }, async (_, i) => {
        const recording = registry.record(SCOPE, [['t', i]])
        answers.push(registry.since(SCOPE, start))
        recorded.set(i, await recording)
        answers.push(registry.since(SCOPE, recorded.get(i)!))
      }),
    )

    for (const answer of await Promise.all(answers)) expectComplete(found(answer), recorded)
  },

  'has in a read what was recorded before it (guarantee 1)': async ({ registry }) => {
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const before = await registry.head(SCOPE)
        const { seq } = await registry.record(SCOPE, [['t', i]])

        const [missed, head] = await Promise.all([registry.since(SCOPE, before), registry.head(SCOPE)])

        assert.ok(head.seq >= seq)
        assert.deepEqual(found(missed).entries.find((entry) => entry.seq === seq)?.tags, [['t', i]])
      }),
    )
  },
}

/** Every write, each with a tag of its own, that lies between where the answer starts and the head that it claims is in it. */
function expectComplete({ from, entries, head }: Missed, recorded: ReadonlyMap<number, Position>): void {
  const bySeq = new Map(entries.map(({ seq, tags }) => [seq, tags]))
  let inside = 0
  for (const [i, { seq }] of recorded) {
    if (seq <= from.seq || seq > head.seq) continue
    inside++
    assert.deepEqual(bySeq.get(seq), [['t', i]], `what was recorded at ${seq}, read from ${from.seq} to ${head.seq}`)
  }
  assert.equal(entries.length, inside, 'entries that were recorded')
  const seqs = entries.map(({ seq }) => seq)
  assert.deepEqual(
    seqs,
    [...seqs].sort((a, b) => a - b),
  )
}
