import { formatPosition, type PlainTag } from '@query-tags/core'
import { afterEach, describe, expect, it } from 'vitest'
import type { Recorded, TagRegistry } from '../src/registry/tag-registry.ts'

export interface RegistryUnderTest {
  readonly registry: TagRegistry
  /** Lets the store's clock go on by at least this many milliseconds. */
  elapse(ms: number): Promise<void>
}

/** What every {@link TagRegistry} has to do. Each test starts with an empty registry. */
export function describeRegistry(name: string, create: () => Promise<RegistryUnderTest>): void {
  describe(`${name} is a tag registry`, () => {
    const opened: TagRegistry[] = []
    const open = async (): Promise<RegistryUnderTest> => {
      const under = await create()
      opened.push(under.registry)
      return under
    }
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((registry) => registry.close()))
    })

    it('creates a scope with a head when it is first asked, and keeps it', async () => {
      const { registry } = await open()

      const first = await registry.head('["user","1"]')

      expect(first.epoch).toMatch(/^[\w-]{1,64}$/)
      expect(Number.isSafeInteger(first.seq)).toBe(true)
      expect(await registry.head('["user","1"]')).toEqual(first)
    })

    it('gives strictly increasing positions of one epoch, also to concurrent writers (guarantee 4)', async () => {
      const { registry } = await open()
      const before = await registry.head('s')

      const positions = await Promise.all(Array.from({ length: 50 }, (_, i) => registry.record('s', [['t', i]])))

      const seqs = positions.map(({ seq }) => seq)
      expect(new Set(seqs).size).toBe(50)
      expect(Math.min(...seqs)).toBeGreaterThan(before.seq)
      expect(positions.every(({ epoch }) => epoch === before.epoch)).toBe(true)
      expect((await registry.head('s')).seq).toBe(Math.max(...seqs))
    })

    it('tells what came after a position, ascending, with all tags of one call together', async () => {
      const { registry } = await open()
      const start = await registry.head('s')
      const first = await registry.record('s', [['a'], ['b']])
      const second = await registry.record('s', [['c']])

      const missed = await registry.since('s', start)

      expect(missed).toEqual({
        from: start,
        entries: [
          { seq: first.seq, tags: expect.toSatisfy((tags: PlainTag[]) => sameTags(tags, [['a'], ['b']])) as unknown },
          { seq: second.seq, tags: [['c']] },
        ],
        head: second,
      })
      expect(await registry.since('s', first)).toMatchObject({ from: first, entries: [{ tags: [['c']] }] })
      expect(await registry.since('s', second)).toMatchObject({ from: second, entries: [], head: second })
    })

    it('keeps of each tag the latest invalidation only', async () => {
      const { registry } = await open()
      const start = await registry.head('s')
      await registry.record('s', [['a'], ['b']])
      const last = await registry.record('s', [['a']])

      const missed = await registry.since('s', start)

      expect(missed).toMatchObject({ entries: [{ tags: [['b']] }, { seq: last.seq, tags: [['a']] }] })
    })

    it('does not answer for a position of another epoch (guarantee 3)', async () => {
      const { registry } = await open()
      const head = await registry.record('s', [['a']])

      expect(await registry.since('s', { epoch: 'another', seq: head.seq })).toBe('expired')
    })

    it('does not answer for a position ahead of the head (guarantee 3)', async () => {
      const { registry } = await open()
      const head = await registry.record('s', [['a']])

      expect(await registry.since('s', { ...head, seq: head.seq + 1 })).toBe('expired')
    })

    it('does not answer for a position from before the epoch (guarantee 3)', async () => {
      const { registry } = await open()
      const born = await registry.head('s')
      await registry.record('s', [['a']])

      expect(await registry.since('s', { ...born, seq: born.seq - 1 })).toBe('expired')
    })

    it('tells what was recorded within an age', async () => {
      const under = await open()
      const { registry } = under
      await registry.head('s')
      await under.elapse(60)
      const old = await registry.record('s', [['old']])
      await under.elapse(200)
      const recent = await registry.record('s', [['recent']])

      const missed = await registry.since('s', { ageMs: 100 })

      if (missed === 'expired') throw new Error('expired')
      expect(missed.entries).toEqual([{ seq: recent.seq, tags: [['recent']] }])
      expect(missed.from.epoch).toBe(recent.epoch)
      expect(missed.from.seq).toBeGreaterThanOrEqual(old.seq)
      expect(missed.from.seq).toBeLessThan(recent.seq)
      expect(await registry.since('s', missed.from)).toMatchObject({ entries: [{ tags: [['recent']] }] })
    })

    it('takes an age within which nothing was recorded for the head', async () => {
      const under = await open()
      const { registry } = under
      const head = await registry.record('s', [['a']])
      await under.elapse(100)

      expect(await registry.since('s', { ageMs: 50 })).toEqual({ from: head, entries: [], head })
    })

    it('does not answer for an age that reaches back before the epoch (guarantee 3)', async () => {
      const { registry } = await open()
      await registry.record('s', [['a']])

      expect(await registry.since('s', { ageMs: 3_600_000 })).toBe('expired')
    })

    it('keeps scopes apart (guarantee 11)', async () => {
      const { registry } = await open()
      const start = await registry.head('["user","2"]')
      const heard: Recorded[] = []
      await registry.subscribe('["user","2"]', (recorded) => heard.push(recorded))

      await registry.record('["user","1"]', [['a']])

      expect(await registry.head('["user","2"]')).toEqual(start)
      expect(await registry.since('["user","2"]', start)).toMatchObject({ entries: [] })
      expect(heard).toEqual([])
    })

    it('tells listeners each invalidation in order, chained by the position before it', async () => {
      const under = await open()
      const { registry } = under
      const start = await registry.record('s', [['before']])
      const heard: Recorded[] = []
      await registry.subscribe('s', (recorded) => heard.push(recorded))

      const first = await registry.record('s', [['a'], ['b']])
      const second = await registry.record('s', [['a']])

      for (let i = 0; heard.length < 2 && i < 100; i++) await under.elapse(10)
      expect(heard).toEqual([
        { ...first, prev: start.seq, tags: [['a'], ['b']] },
        { ...second, prev: first.seq, tags: [['a']] },
      ])
    })

    it('does not call a listener after its subscription ended', async () => {
      const under = await open()
      const { registry } = under
      const [kept, ended]: [Recorded[], Recorded[]] = [[], []]
      await registry.subscribe('s', (recorded) => kept.push(recorded))
      const unsubscribe = await registry.subscribe('s', (recorded) => ended.push(recorded))

      unsubscribe()
      await registry.record('s', [['a']])

      for (let i = 0; kept.length < 1 && i < 100; i++) await under.elapse(10)
      expect(kept).toHaveLength(1)
      expect(ended).toEqual([])
    })

    it('gives back every kind of tag as it was', async () => {
      const { registry } = await open()
      const start = await registry.head('s')
      const tags: PlainTag[] = [
        ['ü', '\n', '\u{1f600}', '\ud800', null, true, 1.5, { b: [], a: {} }],
        { path: 'todos.byId', key: ['todo', '7'] },
        { path: 'todos', keys: [['todo-count'], ['todos']] },
        { path: '', keys: [] },
        { path: 'todos.byId' },
      ]

      await registry.record('s', tags)

      const missed = await registry.since('s', start)
      if (missed === 'expired') throw new Error('expired')
      expect(sameTags(missed.entries[0]!.tags, tags)).toBe(true)
    })

    it('takes a thousand tags in one call', async () => {
      const { registry } = await open()
      const start = await registry.head('s')
      const tags: PlainTag[] = Array.from({ length: 1000 }, (_, i) => ['item', i])

      const position = await registry.record('s', tags)

      const missed = await registry.since('s', start)
      if (missed === 'expired') throw new Error('expired')
      expect(missed.entries.map(({ seq }) => seq)).toEqual([position.seq])
      expect(sameTags(missed.entries[0]!.tags, tags)).toBe(true)
    })

    it('refuses every call after close', async () => {
      const { registry } = await open()
      await registry.record('s', [['a']])

      await registry.close()

      await expect(registry.record('s', [['a']])).rejects.toThrow(Error)
      await expect(registry.head('s')).rejects.toThrow(Error)
    })

    it('has positions that fit the wire', async () => {
      const { registry } = await open()

      expect(formatPosition(await registry.record('s', [['a']]))).toMatch(/^[\w-]{1,64}:\d{1,16}$/)
    })
  })
}

function sameTags(a: readonly PlainTag[], b: readonly PlainTag[]): boolean {
  return sortedJson(a) === sortedJson(b)
}

function sortedJson(tags: readonly PlainTag[]): string {
  return JSON.stringify(tags.map((tag) => JSON.stringify(sortFields(tag))).sort())
}

function sortFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortFields)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([x], [y]) => (x < y ? -1 : 1))
      .map(([name, field]) => [name, sortFields(field)]),
  )
}
