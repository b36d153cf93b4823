import assert from 'node:assert/strict'
import { entriesOf, found, listen, SCOPE, sortedKeys } from './checks.ts'
import type { Cases } from './registry-under-test.ts'

/** Reading what was missed. */
export const readCases: Cases = {
  'tells what came after a position, ascending, with all tags of one call together': async ({ registry }) => {
    const start = await registry.head(SCOPE)
    const first = await registry.record(SCOPE, [['a'], ['b']])
    const second = await registry.record(SCOPE, [['c']])

    const missed = found(await registry.since(SCOPE, start))

    assert.deepEqual(missed.from, start)
    assert.deepEqual(missed.head, second)
    assert.deepEqual(entriesOf(missed), [
      { seq: first.seq, keys: sortedKeys([['a'], ['b']]) },
      { seq: second.seq, keys: sortedKeys([['c']]) },
    ])
  },

  'leaves out what came at the position and before': async ({ registry }) => {
    const first = await registry.record(SCOPE, [['a']])
    const second = await registry.record(SCOPE, [['b']])

    assert.deepEqual(await registry.since(SCOPE, first), {
      from: first,
      entries: [{ seq: second.seq, tags: [['b']] }],
      head: second,
    })
    assert.deepEqual(await registry.since(SCOPE, second), { from: second, entries: [], head: second })
  },

  'keeps of each tag the latest invalidation only': async ({ registry }) => {
    const start = await registry.head(SCOPE)
    const first = await registry.record(SCOPE, [['a'], ['b']])
    const last = await registry.record(SCOPE, [['a']])

    assert.deepEqual(found(await registry.since(SCOPE, start)).entries, [
      { seq: first.seq, tags: [['b']] },
      { seq: last.seq, tags: [['a']] },
    ])
  },

  'creates a scope that is missing when it is read, and has nothing to tell of it': async ({ registry }) => {
    const missed = found(await registry.since(SCOPE, { ageMs: 0 }))

    assert.deepEqual(missed.entries, [])
    assert.deepEqual(missed.head, await registry.head(SCOPE))
    assert.deepEqual(await registry.since(SCOPE, missed.head), { ...missed, from: missed.head })
  },

  'does not answer for a position in a scope that is missing (guarantee 3)': async ({ registry }) => {
    const elsewhere = await registry.record('["project","2"]', [['a']])

    assert.equal(await registry.since(SCOPE, { ...elsewhere, epoch: 'of-no-scope' }), 'expired')
  },

  'does not answer for a position of another epoch (guarantee 3)': async ({ registry }) => {
    const head = await registry.record(SCOPE, [['a']])

    assert.equal(await registry.since(SCOPE, { epoch: 'another', seq: head.seq }), 'expired')
  },

  'does not answer for a position ahead of the head (guarantee 3)': async ({ registry }) => {
    const head = await registry.record(SCOPE, [['a']])

    assert.equal(await registry.since(SCOPE, { ...head, seq: head.seq + 1 }), 'expired')
  },

  'does not answer for a position from before the epoch (guarantee 3)': async ({ registry }) => {
    const born = await registry.head(SCOPE)
    await registry.record(SCOPE, [['a']])

    assert.equal(await registry.since(SCOPE, { ...born, seq: born.seq - 1 }), 'expired')
    assert.equal(await registry.since(SCOPE, { ...born, seq: 0 }), 'expired')
  },

  'tells what was recorded within an age': async (under) => {
    const { registry } = under
    await registry.head(SCOPE)
    await under.elapse(60)
    const old = await registry.record(SCOPE, [['old']])
    await under.elapse(1000)
    const recent = await registry.record(SCOPE, [['recent']])

    const missed = found(await registry.since(SCOPE, { ageMs: 500 }))

    assert.deepEqual(missed.entries, [{ seq: recent.seq, tags: [['recent']] }])
    assert.equal(missed.from.epoch, recent.epoch)
    assert.ok(missed.from.seq >= old.seq && missed.from.seq < recent.seq)
    assert.deepEqual(found(await registry.since(SCOPE, missed.from)).entries, missed.entries)
  },

  'takes an age within which nothing was recorded for the head': async (under) => {
    const { registry } = under
    const head = await registry.record(SCOPE, [['a']])
    await under.elapse(100)

    assert.deepEqual(await registry.since(SCOPE, { ageMs: 50 }), { from: head, entries: [], head })
  },

  'does not answer for an age that reaches back before the epoch (guarantee 3)': async ({ registry }) => {
    await registry.record(SCOPE, [['a']])

    assert.equal(await registry.since(SCOPE, { ageMs: 3_600_000 }), 'expired')
  },

  'keeps scopes apart (guarantee 11)': async ({ registry }) => {
    const other = '["project","2"]'
    const start = await registry.head(other)
    const heard = await listen(registry, other)

    await registry.record(SCOPE, [['a']])

    assert.deepEqual(await registry.head(other), start)
    assert.deepEqual(await registry.since(other, start), { from: start, entries: [], head: start })
    assert.deepEqual(heard, [])
  },
}
