import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ReadPosition } from '../../src/client/client.ts'
import { WatchList } from '../../src/client/watch-list.ts'
import type { PlainTag } from '../../src/tags/tag.ts'
import { FIRST, nameOf } from './world.ts'

const A = '["a",null]'
const at = (seq: number): ReadPosition => ({ first: false, cursor: { [A]: `e:${seq}` } })
const tag = (name: string): PlainTag => [name]
const newList = (): WatchList => new WatchList({ cursor: { current: { [A]: 'e:100' }, first: { [A]: 'e:1' } } })
const opened = (...names: string[]): WatchList => {
  const list = newList()
  for (const name of names) list.watch(tag(name), FIRST)
  list.open(false)
  list.settle(() => {})
  return list
}

describe('a watch list', () => {
  it('sends every tag and every ask with a new stream', () => {
    const list = newList()
    list.watch(tag('a'), at(5))
    list.watch({ path: 'todos.byId', key: ['todo', 7] }, FIRST)

    expect(list.open(false)).toEqual([['a'], { path: 'todos.byId', key: ['todo', 7] }])
    expect(list.sent().map((ask) => ask.from)).toEqual([at(5), FIRST])
  })

  it('takes a tag as acknowledged when its ask was answered, and not before', () => {
    const list = newList()
    expect(list.isWatched(tag('a'))).toBe(false)
    list.watch(tag('a'), FIRST)
    expect(list.isWatched(tag('a'))).toBe(false)
    list.open(false)
    expect(list.isWatched(tag('a'))).toBe(false)

    list.settle(() => {})

    expect(list.isWatched(tag('a'))).toBe(true)
  })

  it('keeps a tag acknowledged while there is no stream: the cursor and the next list cover it', () => {
    const list = opened('a')

    list.lose()

    expect(list.isWatched(tag('a'))).toBe(true)
    expect(list.open(false)).toEqual([['a']])
    expect(list.sent()).toEqual([])
  })

  it('asks again for a tag that is watched already, from the oldest position it was asked from', () => {
    const list = opened('a')

    list.watch(tag('a'), at(7))
    list.watch(tag('a'), at(5))
    list.watch(tag('a'), at(6))

    expect(list.isWatched(tag('a'))).toBe(false)
    expect(list.take()).toEqual({ add: [['a']], remove: [] })
    expect(list.sent()).toEqual([{ tag: ['a'], from: at(5) }])
  })

  it('asks once more for what was asked while the request was on its way', () => {
    const list = opened()
    list.watch(tag('a'), at(50))
    list.take()
    list.watch(tag('a'), at(20))

    list.settle(() => {})

    expect(list.isWatched(tag('a'))).toBe(false)
    expect(list.take()).toEqual({ add: [['a']], remove: [] })
    expect(list.sent()).toEqual([{ tag: ['a'], from: at(20) }])
  })

  it('asks again, from the oldest position, for what was sent and never answered (guarantee 1)', () => {
    const list = opened()
    list.watch(tag('a'), at(20))
    list.take()
    list.watch(tag('a'), at(50))

    list.lose()

    list.open(false)
    expect(list.sent()).toEqual([{ tag: ['a'], from: at(20) }])
  })

  it('asks again for what was answered when the answer could not be applied (guarantee 5)', () => {
    const list = opened()
    list.watch(tag('a'), at(20))
    list.take()

    expect(() =>
      list.settle(() => {
        throw new Error('effect')
      }),
    ).toThrow('effect')

    expect(list.isWatched(tag('a'))).toBe(false)
    list.open(false)
    expect(list.sent()).toEqual([{ tag: ['a'], from: at(20) }])
  })

  it('removes a tag that the server has, and forgets one that it never had', () => {
    const list = opened('a')
    list.watch(tag('b'), FIRST)

    list.unwatch(tag('a'))
    list.unwatch(tag('b'))
    list.unwatch(tag('c'))

    expect(list.take()).toEqual({ add: [], remove: [['a']] })
    expect(list.take()).toEqual({ add: [], remove: [] })
  })

  it('removes a tag that was unwatched while its add was on its way', () => {
    const list = opened()
    list.watch(tag('a'), FIRST)
    list.take()
    list.unwatch(tag('a'))

    list.settle(() => {})

    expect(list.isWatched(tag('a'))).toBe(false)
    expect(list.take()).toEqual({ add: [], remove: [['a']] })
  })

  it('removes a tag that was unwatched while the stream opened with it', () => {
    const list = newList()
    list.watch(tag('a'), FIRST)
    list.open(false)
    list.unwatch(tag('a'))

    list.settle(() => {})

    expect(list.take()).toEqual({ add: [], remove: [['a']] })
  })

  it('takes a tag that is watched again while its remove is due as a new add (guarantee 1)', () => {
    const list = opened('a')
    list.unwatch(tag('a'))

    list.watch(tag('a'), at(90))

    expect(list.isWatched(tag('a'))).toBe(false)
    expect(list.take()).toEqual({ add: [['a']], remove: [] })
    expect(list.sent()).toEqual([{ tag: ['a'], from: at(90) }])
  })

  it('takes a tag that is watched again while its remove is on its way as a new add (guarantee 1)', () => {
    const list = opened('a')
    list.unwatch(tag('a'))
    expect(list.take().remove).toEqual([['a']])

    list.watch(tag('a'), at(90))
    list.settle(() => {})

    expect(list.isWatched(tag('a'))).toBe(false)
    expect(list.take().add).toEqual([['a']])
    list.settle(() => {})
    expect(list.isWatched(tag('a'))).toBe(true)
  })

  it('tells tags apart by their canonical form', () => {
    const list = opened()

    list.watch([{ b: 1, a: 2 }], FIRST)
    list.watch([{ a: 2, b: 1 }], FIRST)
    list.watch([5], FIRST)
    list.watch(['5'], FIRST)

    expect(list.take().add).toHaveLength(3)
  })

  it('watches everything above 2,000 tags or 48 KiB of them, and only then', () => {
    const many = newList()
    for (let n = 0; n < 2000; n++) many.watch([n], FIRST)
    expect(many.open(false)).toHaveLength(2000)
    many.watch(['one more'], FIRST)
    expect(many.isTooLong).toBe(true)
    expect(many.open(false)).toBe('*')
    expect(many.isTooLong).toBe(false)

    const long = newList()
    for (let n = 0; n < 48; n++) long.watch([n, 'é'.repeat(500)], FIRST)
    expect(long.isTooLong).toBe(false)
    long.watch([48, 'é'.repeat(500)], FIRST)
    expect(long.open(false)).toBe('*')
  })

  it('goes on asking, and removes nothing, on a stream of everything', () => {
    const list = opened('a')
    expect(list.open(true)).toBe('*')
    list.settle(() => {})
    expect(list.isWatched(tag('a'))).toBe(true)

    list.unwatch(tag('a'))
    list.watch(tag('b'), at(40))

    expect(list.take()).toEqual({ add: [['b']], remove: [] })
    expect(list.isWatched(tag('b'))).toBe(false)
    list.settle(() => {})
    expect(list.isWatched(tag('b'))).toBe(true)
  })

  it('is a list again on the next stream, when it became short', () => {
    const list = newList()
    for (let n = 0; n < 2001; n++) list.watch([n], FIRST)
    expect(list.open(false)).toBe('*')

    for (let n = 1; n < 2001; n++) list.unwatch([n])
    list.lose()

    expect(list.open(false)).toEqual([[0]])
  })

  it('sends no more in one request than a server takes', () => {
    const list = newList()
    list.open(true)
    list.settle(() => {})
    for (let n = 0; n < 100; n++) list.watch([n, 'x'.repeat(990)], FIRST)

    const sizes: number[] = []
    for (let n = 0; n < 4; n++) {
      sizes.push(JSON.stringify(list.take().add).length)
      list.settle(() => {})
    }

    expect(sizes.every((size) => size < 50_000)).toBe(true)
    expect(list.take().add).toEqual([])
    expect(list.isWatched([99, 'x'.repeat(990)])).toBe(true)
  })
})

type Step =
  | { readonly do: 'watch'; readonly tag: string; readonly seq: number }
  | { readonly do: 'unwatch'; readonly tag: string }
  | { readonly do: 'open' | 'send' | 'answer' | 'lose' }

const name = fc.constantFrom('a', 'b', 'c')
const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ do: fc.constant('watch'), tag: name, seq: fc.nat({ max: 99 }) }),
    fc.record({ do: fc.constant('unwatch'), tag: name }),
    fc.record({ do: fc.constantFrom('open', 'send', 'answer', 'lose') }),
  ),
  { maxLength: 40, size: 'max' },
)

/** A server that does as it is told, and the debts to each tag: the positions it was asked from that no answer has covered. */
class Ledger {
  readonly list = newList()
  readonly wanted = new Set<string>()
  readonly faults: string[] = []
  readonly #owed = new Map<string, number[]>()
  #server = new Set<string>()
  #flight: { readonly server: Set<string>; readonly owed: Map<string, number[]> } | undefined
  #isOpen = false

  run(step: Step): void {
    if (step.do === 'watch') this.#watch(step.tag, step.seq)
    if (step.do === 'unwatch') this.#unwatch(step.tag)
    if (step.do === 'lose' || step.do === 'open') this.#lose()
    if (step.do === 'open') this.#begin(namesOf(this.list.open(false)))
    if (step.do === 'send' && this.#isOpen && !this.#flight) this.#send()
    if (step.do === 'answer' && this.#flight) this.#answer()
    if (!this.#isOpen || this.#flight) return
    for (const key of this.wanted) {
      if (this.list.isWatched([key]) && !this.#server.has(key)) this.faults.push(`${key} is not watched`)
    }
  }

  /** What is left to be told, and what the server watches for nobody. */
  get debts(): string[] {
    const owed = [...this.#owed].flatMap(([key, seqs]) => seqs.map((seq) => `${key} since ${seq}`))
    const extra = [...this.#server].filter((key) => !this.wanted.has(key)).map((key) => `${key} for nobody`)
    return [...owed, ...extra, ...[...this.wanted].filter((key) => !this.list.isWatched([key]))]
  }

  #watch(key: string, seq: number): void {
    this.wanted.add(key)
    this.#owed.set(key, [...(this.#owed.get(key) ?? []), seq])
    this.list.watch([key], at(seq))
  }

  #unwatch(key: string): void {
    this.wanted.delete(key)
    this.#owed.delete(key)
    this.list.unwatch([key])
  }

  #send(): void {
    const { add, remove } = this.list.take()
    const server = new Set(this.#server)
    for (const key of namesOf(remove)) server.delete(key)
    for (const key of namesOf(add)) server.add(key)
    this.#begin(server)
  }

  #begin(server: Iterable<string>): void {
    this.#flight = { server: new Set(server), owed: new Map(this.#owed) }
    for (const { tag: asked, from } of this.list.sent()) {
      const sent = Number(from.cursor![A]!.slice(2))
      for (const seq of this.#owed.get(nameOf(asked)) ?? []) {
        if (sent > seq) this.faults.push(`${nameOf(asked)} was asked from ${sent}, not from ${seq}`)
      }
    }
  }

  #answer(): void {
    const { server, owed } = this.#flight!
    const asked = this.list.sent().map((ask) => nameOf(ask.tag))
    this.#flight = undefined
    this.#server = server
    this.#isOpen = true
    this.list.settle(() => {})
    for (const key of asked) {
      const left = this.#owed.get(key)?.filter((seq) => !owed.get(key)?.includes(seq)) ?? []
      if (left.length > 0) this.#owed.set(key, left)
      else this.#owed.delete(key)
    }
  }

  #lose(): void {
    this.#flight = undefined
    this.#isOpen = false
    this.list.lose()
  }
}

function namesOf(tags: readonly PlainTag[] | '*'): string[] {
  return tags === '*' ? [] : tags.map(nameOf)
}

describe('a watch list, under any steps', () => {
  it('owes nothing in the end: every ask was answered from its position or before, and the server has exactly the wanted tags', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (todo, breaks) => {
        const ledger = new Ledger()
        ledger.run({ do: 'open' })
        for (const step of todo) ledger.run(step)

        const rest: Step['do'][] = [
          ...(breaks ? (['open'] as const) : []),
          'answer',
          'send',
          'answer',
          'send',
          'answer',
        ]
        for (const step of rest) ledger.run({ do: step } as Step)
        if (ledger.debts.length > 0)
          for (const step of ['open', 'answer', 'send', 'answer'] as const) ledger.run({ do: step })

        expect(ledger.debts).toEqual([])
        expect(ledger.faults).toEqual([])
      }),
      { numRuns: 2000 },
    )
  })
})
