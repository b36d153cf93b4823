import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ModelApp } from './model-app.ts'
import { ModelServer } from './model-server.ts'
import { GLOBAL, type ScriptedStream, type ScriptedWatch } from './scripted-transport.ts'
import { FIRST, World } from './world.ts'

const TAGS = ['a', 'b']
const tag = fc.constantFrom(...TAGS)
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('write' as const, 'mount', 'land'), tag }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('unmount' as const, 'hydrateFirst', 'hydrateSnapshot'), tag }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('accept' as const, 'deliver', 'deliver', 'serve', 'wait') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('heartbeat' as const, 'loseAnswer', 'cut', 'ghost', 'snapshot') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('blackhole' as const, 'restart', 'rebind', 'sleep', 'online') }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** A database, its server, one client and its app. */
class Universe {
  readonly world = new World()
  readonly #database = new Map(TAGS.map((name) => [name, 0]))
  readonly #server = new ModelServer(() => this.world.environment.wallNow())
  /** As the page was rendered with. */
  readonly #loaded = new Map(this.#database)
  #snapshot = { cursor: { [GLOBAL]: this.#server.head }, versions: new Map(this.#database) }
  readonly #accepted = new Set<ScriptedStream>()
  readonly #served = new Set<ScriptedWatch>()
  readonly app = new ModelApp(this.world.client, this.#database)

  async run(todo: Step): Promise<void> {
    this.#act(todo)
    await this.world.run(todo.do === 'wait' ? 120 : 0)
  }

  /** Everything that is under way comes to its end, and the network is fine. */
  async settle(): Promise<void> {
    for (let n = 0; n < 60; n++) {
      this.#accept()
      while (this.#deliver(false) || this.#deliver(true));
      for (const watch of this.#pending()) this.#serve(watch, false)
      this.app.landAll()
      if (n % 4 === 0) this.#server.heartbeat()
      await this.world.run(2000)
    }
  }

  #act(todo: Step): void {
    const server = this.#server
    const stream = this.world.transport.streams.at(-1)
    if ('tag' in todo) {
      if (todo.do === 'write') {
        this.#database.set(todo.tag, this.#database.get(todo.tag)! + 1)
        server.record(todo.tag)
      } else if (todo.do === 'hydrateFirst') this.app.hydrate(todo.tag, this.#loaded.get(todo.tag)!, FIRST)
      else if (todo.do === 'hydrateSnapshot') {
        const { cursor, versions } = this.#snapshot
        this.app.hydrate(todo.tag, versions.get(todo.tag)!, { first: false, cursor })
      } else this.app[todo.do](todo.tag)
    } else if (todo.do === 'accept') this.#accept()
    else if (todo.do === 'deliver') this.#deliver(false)
    else if (todo.do === 'ghost') this.#deliver(true)
    else if (todo.do === 'serve' || todo.do === 'loseAnswer') {
      const watch = this.#pending()[0]
      if (watch) this.#serve(watch, todo.do === 'loseAnswer')
    } else if (todo.do === 'heartbeat') server.heartbeat()
    else if (todo.do === 'cut' && stream) server.cut(stream)
    else if (todo.do === 'blackhole' && stream) server.blackhole(stream)
    else if (todo.do === 'restart') server.restart()
    else if (todo.do === 'rebind') this.app.rebind()
    else if (todo.do === 'snapshot')
      this.#snapshot = { cursor: { [GLOBAL]: server.head }, versions: new Map(this.#database) }
    else if (todo.do === 'sleep') this.world.environment.sleep(45_000)
    else if (todo.do === 'online') this.world.environment.page('online')
  }

  #accept(): void {
    const { streams } = this.world.transport
    const next = streams.find((stream) => !stream.isAborted && !this.#accepted.has(stream))
    if (!next) return
    this.#accepted.add(next)
    this.#server.accept(next)
  }

  /** A frame arrives; as a ghost on a stream that the client has given up. */
  #deliver(asGhost: boolean): boolean {
    const { streams } = this.world.transport
    return streams.findLast((stream) => stream.isAborted === asGhost && this.#server.deliver(stream)) !== undefined
  }

  #pending(): ScriptedWatch[] {
    return this.world.transport.watches.filter((watch) => !watch.signal.aborted && !this.#served.has(watch))
  }

  #serve(watch: ScriptedWatch, isAnswerLost: boolean): void {
    this.#served.add(watch)
    this.#server.serve(watch, isAnswerLost)
  }
}

describe('a client, its server and an app, in any order of events', () => {
  it('end with every query as new as the database (guarantee 1)', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 120, size: 'max' }), async (steps) => {
        const universe = new Universe()
        for (const todo of steps) await universe.run(todo)

        await universe.settle()

        expect(universe.app.stale).toEqual([])
        expect(universe.world.errors).toEqual([])
        expect(universe.world.state).toBe('live')
      }),
      { numRuns: Number(process.env['QUERY_TAGS_RUNS'] ?? 400) },
    )
  })
})
