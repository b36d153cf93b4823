import assert from 'node:assert/strict'
import { formatPosition } from '@query-tags/core'
import { SCOPE } from './checks.ts'
import type { Cases } from './registry-under-test.ts'

/** Positions: where they come from, and that none is given twice. */
export const positionCases: Cases = {
  'creates a scope with a head when it is first asked, and keeps it': async ({ registry }) => {
    const first = await registry.head(SCOPE)

    assert.match(first.epoch, /^[\w-]{1,64}$/)
    assert.ok(Number.isSafeInteger(first.seq))
    assert.deepEqual(await registry.head(SCOPE), first)
  },

  'creates one scope when many ask for it first': async ({ registry }) => {
    const [a, b, c, recorded] = await Promise.all([
      registry.head(SCOPE),
      registry.head(SCOPE),
      registry.since(SCOPE, { ageMs: 0 }),
      registry.record(SCOPE, [['a']]),
    ])

    assert.equal(a.epoch, recorded.epoch)
    assert.equal(b.epoch, recorded.epoch)
    if (c !== 'expired') assert.equal(c.head.epoch, recorded.epoch)
  },

  'gives strictly increasing positions of one epoch, also to concurrent writers (guarantee 4)': async ({
    registry,
  }) => {
    const before = await registry.head(SCOPE)

    const positions = await Promise.all(Array.from({ length: 50 }, (_, i) => registry.record(SCOPE, [['t', i]])))

    const seqs = positions.map(({ seq }) => seq)
    assert.equal(new Set(seqs).size, 50)
    assert.ok(Math.min(...seqs) > before.seq)
    assert.ok(positions.every(({ epoch }) => epoch === before.epoch))
    assert.equal((await registry.head(SCOPE)).seq, Math.max(...seqs))
  },

  'gives a repeated invalidation a position of its own (guarantee 4)': async ({ registry }) => {
    const first = await registry.record(SCOPE, [['a']])

    const second = await registry.record(SCOPE, [['a']])

    assert.ok(second.seq > first.seq)
  },

  'answers heads that are asked for in one task, each for its scope': async ({ registry }) => {
    const scopes = Array.from({ length: 100 }, (_, i) => `["user","${i}"]`)
    const recorded = await Promise.all(scopes.map((scope) => registry.record(scope, [['a']])))

    const heads = await Promise.all([...scopes, ...scopes].map((scope) => registry.head(scope)))

    assert.deepEqual(heads, [...recorded, ...recorded])
  },

  'keeps scopes apart whose names differ by little (guarantee 11)': async ({ registry }) => {
    const scopes = [
      '["a",null]',
      '["a","null"]',
      '["A",null]',
      '["a"," "]',
      '["a",":"]',
      '["a","{b}"]',
      '["a","*"]',
      '["a","b*"]',
      '["a","b"]',
      '["a","b:c"]',
      '["a","é"]',
      '["a","e\u0301"]',
      '["a","\u{1f600}"]',
      '["a","\\ud83d"]',
      '["a","\\n"]',
      `["a","${'x'.repeat(256)}"]`,
      `["a","${'x'.repeat(255)}"]`,
    ]
    const starts = await Promise.all(scopes.map((scope) => registry.head(scope)))

    for (const [i, scope] of scopes.entries()) await registry.record(scope, [['in', i]])

    for (const [i, scope] of scopes.entries()) {
      const missed = await registry.since(scope, starts[i]!)
      assert.deepEqual(missed === 'expired' ? missed : missed.entries.map(({ tags }) => tags), [[['in', i]]])
    }
  },

  'has positions that fit the wire': async ({ registry }) => {
    assert.match(formatPosition(await registry.record(SCOPE, [['a']])), /^[\w-]{1,64}:\d{1,16}$/)
  },

  'refuses every call after close': async ({ registry }) => {
    const head = await registry.record(SCOPE, [['a']])

    await registry.close()

    await assert.rejects(async () => registry.record(SCOPE, [['a']]))
    await assert.rejects(async () => registry.head(SCOPE))
    await assert.rejects(async () => registry.since(SCOPE, head))
    await assert.rejects(async () => registry.subscribe(SCOPE, () => undefined))
    await registry.close()
  },
}
