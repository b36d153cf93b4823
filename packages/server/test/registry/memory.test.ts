import type { PlainTag, Position } from '@query-tags/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryRegistry, type MemoryRegistryOptions } from '../../src/registry/memory.ts'
import type { TagRegistry } from '../../src/registry/tag-registry.ts'
import { describeRegistry, type RegistryUnderTest } from '../registry-conformance.ts'
import { FakeClock } from '../support/fake-clock.ts'

function create(options: MemoryRegistryOptions = {}): { registry: TagRegistry; clock: FakeClock } {
  const clock = new FakeClock()
  return { clock, registry: createMemoryRegistry({ clock, ...options }) }
}

function distinct(tags: readonly (readonly string[])[]): string[] {
  return [...new Set(tags.flat())].sort()
}

async function createUnderTest(options?: MemoryRegistryOptions): Promise<RegistryUnderTest> {
  const { registry, clock } = create(options)
  await clock.advance(1000)
  return { registry, elapse: (ms) => clock.advance(ms) }
}

describeRegistry(
  'the memory registry',
  () => createUnderTest(),
  (maxTagsPerScope) => createUnderTest({ maxTagsPerScope }),
)

describe('the memory registry', () => {
  it('lets a position below the floor expire once the tags above the cap are trimmed', async () => {
    const { registry } = create({ maxTagsPerScope: 2 })
    const start = await registry.head('s')
    const first = await registry.record('s', [['a']])
    await registry.record('s', [['b']])

    const third = await registry.record('s', [['c']])

    expect(await registry.since('s', start)).toBe('expired')
    expect(await registry.since('s', first)).toMatchObject({
      entries: [{ tags: [['b']] }, { tags: [['c']] }],
      head: third,
    })
  })

  it('counts the calls that made it forget something', async () => {
    const { registry } = create({ maxTagsPerScope: 2, maxBytes: 4000 })
    await registry.record('s', [['a'], ['b']])
    expect(registry.floorRaisedCount).toBe(0)

    await registry.record('s', [['c'], ['d']])
    expect(registry.floorRaisedCount).toBe(1)
    for (let i = 0; i < 10; i++) await registry.record(`scope ${i}`, [['a']])

    expect(registry.floorRaisedCount).toBeGreaterThan(1)
  })

  it('does not trim for a tag that it holds already', async () => {
    const { registry } = create({ maxTagsPerScope: 2 })
    const start = await registry.head('s')

    for (let i = 0; i < 10; i++) await registry.record('s', [[i % 2 ? 'a' : 'b']])

    expect(await registry.since('s', start)).toMatchObject({ entries: [{ tags: [['b']] }, { tags: [['a']] }] })
  })

  it('trims by bytes too', async () => {
    const { registry } = create({ maxBytesPerScope: 2000 })
    const start = await registry.head('s')

    for (let i = 0; i < 100; i++) await registry.record('s', [['x'.repeat(100), i]])

    expect(await registry.since('s', start)).toBe('expired')
  })

  it('takes a scope that nobody recorded in for as old as the process', async () => {
    const { registry, clock } = create()
    await clock.advance(60_000)

    const missed = await registry.since('["user","new"]', { ageMs: 31_000 })

    expect(missed).toMatchObject({ entries: [] })
    expect(await registry.since('["user","new"]', { ageMs: 61_000 })).toBe('expired')
  })

  it('forgets whole idle scopes first, the longest unused one before the others', async () => {
    const { registry, clock } = create({ maxBytes: 8000 })
    await clock.advance(1000)
    const idle = await registry.record('idle', [['a']])
    const watched = await registry.record('watched', [['a']])
    await registry.subscribe('watched', () => undefined)

    for (let i = 0; i < 100; i++) await registry.record('busy', [['x'.repeat(10), i]])

    expect((await registry.head('idle')).epoch).not.toBe(idle.epoch)
    expect((await registry.head('watched')).epoch).toBe(watched.epoch)
    expect(await registry.since('idle', idle)).toBe('expired')
  })

  it('takes a forgotten scope for as young as its last invalidation, whatever it is called next (guarantee 3)', async () => {
    const { registry, clock } = create({ maxBytes: 8000 })
    await clock.advance(10_000)
    await registry.record('idle', [['a']])
    await clock.advance(10_000)
    for (let i = 0; i < 100; i++) await registry.record('busy', [['x'.repeat(10), i]])

    expect(await registry.since('idle', { ageMs: 15_000 })).toBe('expired')
    expect(await registry.since('idle', { ageMs: 5000 })).toMatchObject({ entries: [] })
  })

  it('stays below its cap when every scope is in use, and keeps their epochs', async () => {
    const { registry } = create({ maxBytes: 8000 })
    const heads: Position[] = []
    for (let scope = 0; scope < 4; scope++) {
      await registry.subscribe(`s${scope}`, () => undefined)
      heads.push(await registry.head(`s${scope}`))
      for (let i = 0; i < 30; i++) await registry.record(`s${scope}`, [['x'.repeat(10), i]])
    }

    expect((await registry.head('s0')).epoch).toBe(heads[0]!.epoch)
    expect(await registry.since('s0', heads[0]!)).toBe('expired')
    expect(await registry.since('s3', heads[3]!)).toMatchObject({ head: { epoch: heads[3]!.epoch } })
  })

  it('goes by the monotonic clock, so a wall clock set forward hides nothing', async () => {
    const clock = new FakeClock()
    let step = 0
    const stepping = Object.assign(Object.create(clock) as FakeClock, {
      now: () => clock.now(),
      wallNow: () => clock.wallNow() + step,
      random: () => clock.random(),
    })
    const registry = createMemoryRegistry({ clock: stepping })
    await clock.advance(100_000)
    await registry.record('s', [['a']])
    step = 3_600_000

    expect(await registry.since('s', { ageMs: 1000 })).toMatchObject({ entries: [{ tags: [['a']] }] })
  })

  it('answers what a plain list of all invalidations answers, or expired', async () => {
    const tag = fc.integer({ min: 0, max: 12 }).map((id): PlainTag => ['t', id])
    const step = fc.oneof(
      fc.record({ record: fc.uniqueArray(tag, { minLength: 1, maxLength: 5, selector: String }) }),
      fc.record({ since: fc.nat() }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 3, max: 20 }), async (steps, maxTags) => {
        const { registry } = create({ maxTagsPerScope: maxTags })
        const history: { position: Position; tags: string[] }[] = [{ position: await registry.head('s'), tags: [] }]
        for (const action of steps) {
          if ('record' in action) {
            const position = await registry.record('s', action.record)
            history.push({ position, tags: action.record.map(String) })
            continue
          }
          const at = action.since % history.length
          const missed = await registry.since('s', history[at]!.position)
          const answer = missed === 'expired' ? missed : distinct(missed.entries.map(({ tags }) => tags.map(String)))
          const wasTrimmed = distinct(history.map(({ tags }) => tags)).length > maxTags
          const complete = distinct(history.slice(at + 1).map(({ tags }) => tags))
          expect(answer).toBeOneOf(wasTrimmed ? ['expired', complete] : [complete])
        }
      }),
    )
  })
})
