import type { Position } from '@query-tags/core'
import { describe, expect, it } from 'vitest'
import { openKeyvRegistry } from '../../../src/registry/keyv/keyv-registry.ts'
import type { TagRegistry } from '../../../src/registry/tag-registry.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { ModelStore, NO_FAULTS, type FaultRates, type ModelProcess } from './support/model-store.ts'

const SEEDS = Number(process.env['SCHEDULES'] ?? 300) / 4

interface Acknowledged {
  readonly scope: string
  readonly tag: string
  readonly position: Position
}

interface Server {
  readonly process: ModelProcess
  readonly registry: TagRegistry
}

/** Several servers on one store, which start, stop, hang and die as the seed says. */
class World {
  readonly clock: FakeClock
  readonly store: ModelStore
  readonly servers: Server[] = []
  readonly acknowledged: Acknowledged[] = []
  readonly #processes: ModelProcess[] = []
  #recorded = 0

  /** In some worlds nobody believes that anybody else is alive. */
  readonly #silentMs: number

  constructor(seed: number) {
    this.#silentMs = seed % 3 === 0 ? 15_000 : 0
    this.clock = new FakeClock(seed)
    this.store = new ModelStore(this.clock)
  }

  start(): Server {
    const process = this.store.open()
    this.#processes.push(process)
    const number = this.#processes.length
    const identify = () => Promise.resolve({ place: `place ${number}`, pid: 1, startedAt: '', host: `host-${number}` })
    // The faults are on purpose.
    const context = { clock: process, report: () => undefined }
    const server = { process, registry: openKeyvRegistry(process, context, { identify, silentMs: this.#silentMs }) }
    this.servers.push(server)
    return server
  }

  stop(server: Server): void {
    this.servers.splice(this.servers.indexOf(server), 1)
  }

  record({ registry }: Server): void {
    const scope = this.pick(['["global",null]', '["user","1"]', '["user","2"]'])
    const tag = this.clock.random() < 0.5 ? `t${++this.#recorded}` : this.pick(['a', 'b'])
    registry.record(scope, [[tag]]).then(
      (position) => this.acknowledged.push({ scope, tag, position }),
      () => undefined,
    )
  }

  async step(): Promise<void> {
    const action = this.clock.random()
    const server = this.servers.length > 0 ? this.pick(this.servers) : undefined
    if (action < 0.05 && this.servers.length < 3) this.start()
    else if (action < 0.07 && server) {
      server.process.kill()
      this.stop(server)
    } else if (action < 0.09 && server) {
      void server.registry.close()
      this.stop(server)
    } else if (action < 0.11 && server) {
      server.process.pause()
      this.clock.after(30_000 * this.clock.random(), () => {
        server.process.resume()
      })
    } else if (server) this.record(server)
    await this.clock.advance(this.clock.random() < 0.05 ? 8000 * this.clock.random() : 60 * this.clock.random())
  }

  /** What a server that is alone in the end knows. */
  async last(): Promise<TagRegistry> {
    for (const process of this.#processes) process.kill()
    this.store.faults = NO_FAULTS
    await this.clock.advance(20_000)
    const { registry } = this.start()
    await this.clock.advance(40_000)
    return registry
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.clock.random() * items.length)]!
  }
}

async function settled<T>(world: World, promise: Promise<T>): Promise<T> {
  const [value] = await Promise.all([promise, world.clock.advance(2000)])
  return value
}

interface Outcome {
  /** Acknowledged invalidations that the last server knows of. */
  kept: number
  /** Those of an epoch that is over: clients are reset. */
  reset: number
  readonly lost: string[]
}

async function run(seed: number, faults: FaultRates): Promise<Outcome> {
  const world = new World(seed)
  world.store.faults = faults
  world.start()
  for (let i = 0; i < 250; i++) await world.step()
  const last = await world.last()
  const outcome: Outcome = { kept: 0, reset: 0, lost: [] }
  const seen = new Set<string>()
  for (const { scope, tag, position } of world.acknowledged) {
    const at = `seed ${seed}: ${tag} in ${scope} at ${position.epoch}:${position.seq}`
    const name = `${scope} ${position.epoch}:${position.seq}`
    if (seen.has(name)) outcome.lost.push(`${at}, where another one is`)
    seen.add(name)
    const { epoch } = await settled(world, last.head(scope))
    const missed = await settled(world, last.since(scope, { ...position, seq: position.seq - 1 }))
    if (missed === 'expired') {
      if (epoch === position.epoch) outcome.lost.push(`${at}, expired in its own epoch`)
      outcome.reset++
      continue
    }
    const later = missed.entries.filter(({ seq }) => seq >= position.seq).flatMap(({ tags }) => tags.flat())
    if (later.includes(tag)) outcome.kept++
    else outcome.lost.push(at)
  }
  return outcome
}

describe('servers that come, go, hang and die on one Keyv', () => {
  const rates: [name: string, faults: FaultRates][] = [
    ['a store without faults', NO_FAULTS],
    ['a store that fails now and then', { fails: 0.02, saysNo: 0.01, swallows: 0.01, hangs: 0.01 }],
    ['a store that fails all the time', { fails: 0.1, saysNo: 0.05, swallows: 0.05, hangs: 0.05 }],
  ]

  it.each(rates)(
    'never lose what was acknowledged, on %s (guarantees 1, 4)',
    { timeout: 300_000 },
    async (_, faults) => {
      const total: Outcome = { kept: 0, reset: 0, lost: [] }
      for (let seed = 1; seed <= SEEDS; seed++) {
        const { kept, reset, lost } = await run(seed, faults)
        total.kept += kept
        total.reset += reset
        total.lost.push(...lost)
      }

      expect(total.lost).toEqual([])
      expect(total.kept).toBeGreaterThan(10 * total.reset)
    },
  )
})
