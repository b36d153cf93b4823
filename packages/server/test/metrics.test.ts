import { describe, expect, it } from 'vitest'
import type { TagInvalidationSystem } from '../src/tag-invalidation-system.ts'
import { settle } from './support/fake-clock.ts'
import { parsePrometheus } from './support/prometheus.ts'
import { createWorld, GLOBAL, type World } from './support/world.ts'

const NAMES = [
  'query_tags_connections',
  'query_tags_connects_total',
  'query_tags_refused_total',
  'query_tags_records_total',
  'query_tags_record_seconds',
  'query_tags_bus_lag_seconds',
  'query_tags_gaps_repaired_total',
  'query_tags_resets_total',
  'query_tags_watch_reopens_total',
  'query_tags_backlog_merges_total',
  'query_tags_verify_age_seconds',
  'query_tags_floor_raised_total',
]
const HOSTILE = 'tag"} 1\n# TYPE x\\counter\r{le="secret'

/** All samples that are not 0, by `name` or `name label`, bucket counts left out. */
function samplesOf(system: Pick<TagInvalidationSystem, 'metrics'>): Record<string, number> {
  const samples = [...parsePrometheus(system.metrics()).values()].flatMap((family) => family.samples)
  const shown = samples.filter(({ name, value }) => !name.endsWith('_bucket') && value !== 0)
  return Object.fromEntries(
    shown.map(({ name, labels, value }) => [
      [name.slice('query_tags_'.length), ...Object.values(labels)].join(' '),
      value,
    ]),
  )
}

async function refuse(world: World<unknown>): Promise<void> {
  world.registry.fail('record')
  await expect(world.system.invalidateTags({ tags: [['a']] })).rejects.toMatchObject({ code: 'registry-unavailable' })
  world.registry.mend()
}

describe('metrics()', () => {
  it('has every metric from the start, each label at 0', () => {
    const families = parsePrometheus(createWorld().system.metrics())

    expect([...families.keys()]).toEqual(NAMES)
    expect([...families.values()].every(({ samples }) => samples.length > 0)).toBe(true)
    expect([...families.values()].flatMap(({ samples }) => samples).filter(({ value }) => value !== 0)).toEqual([])
  })

  it('counts streams by how they began, and requests by why they were refused', async () => {
    const world = createWorld({ limits: { maxConnections: 4 } })
    const first = await world.connect()
    await world.connect({ cursor: first.hello.cursor })
    await world.respond({ method: 'GET' })
    await world.respond({ method: 'GET', headers: { 'last-event-id': JSON.stringify(first.hello.cursor) } })
    await world.respond({ body: { v: 1, ageMs: 0, watcher: 'w', watch: [['a']] } })
    await world.respond({ path: '/elsewhere' })
    await world.respond({
      path: '/watch',
      body: { connection: 'gone', watcher: 'w', n: 1, add: [], remove: [], from: {} },
    })

    expect(samplesOf(world.system)).toMatchObject({
      connections: 4,
      'connects_total fresh': 1,
      'connects_total resumed': 1,
      'connects_total plain': 1,
      'connects_total last-event-id': 1,
      'refused_total unavailable': 1,
      'refused_total not-found': 1,
      'refused_total not-here': 1,
      watch_reopens_total: 1,
    })
    const closing = world.system.close()
    await world.clock.advance(5000)
    await closing
    expect(samplesOf(world.system)['connections']).toBeUndefined()
  })

  it('counts what was recorded, what was not, and how long it took', async () => {
    const world = createWorld()
    await world.invalidate(['a'])
    await refuse(world)
    const release = world.registry.hold('record')
    const recording = world.system.invalidateTags({ tags: [['a']] })
    await world.clock.advance(2000)
    release()
    await recording

    expect(samplesOf(world.system)).toMatchObject({
      'records_total recorded': 2,
      'records_total failed': 1,
      record_seconds_count: 3,
      record_seconds_sum: 2,
    })
    const buckets = parsePrometheus(world.system.metrics()).get('query_tags_record_seconds')!.samples
    expect(buckets.find(({ labels }) => labels['le'] === '1')?.value).toBe(2)
    expect(buckets.find(({ labels }) => labels['le'] === '2.5')?.value).toBe(3)
  })

  it('measures from the record to the streams being told, in scopes that have some', async () => {
    const world = createWorld()
    const late: (() => void)[] = []
    const subscribe = world.registry.subscribe.bind(world.registry)
    world.registry.subscribe = (scope, listener) =>
      subscribe(scope, (recorded) => {
        late.push(() => listener(recorded))
      })
    await world.invalidate(['a'])
    await world.connect()

    await world.invalidate(['a'])
    await world.invalidate(['a'])
    await world.clock.advance(200)
    for (const tell of late) tell()

    expect(samplesOf(world.system)).toMatchObject({ bus_lag_seconds_count: 2, bus_lag_seconds_sum: 0.4 })
  })

  it('measures no lag where the streams were told before the record was confirmed', async () => {
    const world = createWorld()
    await world.connect()

    await world.invalidate(['a'])

    expect(samplesOf(world.system)).toMatchObject({ bus_lag_seconds_count: 1 })
    expect(samplesOf(world.system)['bus_lag_seconds_sum']).toBeUndefined()
  })

  it('counts repaired gaps, resets, and what was merged for slow readers', async () => {
    const world = createWorld({ heartbeatMs: 1000 })
    const sink = await world.connect()
    world.registry.isLost = () => true
    await world.invalidate(['a'])
    world.registry.isLost = () => false
    await world.invalidate(['a'])
    sink.stop()
    await world.invalidate(['a'])
    await world.invalidate(['a'])
    await world.invalidate(['a'])
    await world.connect({ cursor: { [GLOBAL]: 'another:1' } })
    await world.clock.advance(10_000)

    expect(samplesOf(world.system)).toMatchObject({
      gaps_repaired_total: 1,
      backlog_merges_total: 2,
      'resets_total epoch': 1,
    })
  })

  it('shows for how long the registry has not confirmed a scope', async () => {
    const world = createWorld({ heartbeatMs: 1000 })
    await world.connect()
    await world.clock.advance(10_000)
    expect(world.system.stats().verifyAgeMs).toBeLessThanOrEqual(1000)
    world.registry.fail('head')

    await world.clock.advance(10_000)

    expect(samplesOf(world.system)['verify_age_seconds']).toBeGreaterThanOrEqual(10)
    world.registry.mend()
    await world.clock.advance(1000)
    expect(samplesOf(world.system)['verify_age_seconds'] ?? 0).toBeLessThanOrEqual(1)
  })

  it('shows how often the registry forgot something, if it counts', async () => {
    const world = createWorld({ memory: { maxTagsPerScope: 1 } })
    const own = createWorld({ store: world.shared, memory: {} })
    await world.invalidate(['a'], ['b'])

    expect(parsePrometheus(own.system.metrics()).get('query_tags_floor_raised_total')?.samples[0]?.value).toBe(1)
    expect(parsePrometheus(world.system.metrics()).get('query_tags_floor_raised_total')?.samples[0]?.value).toBe(1)
  })

  it('never has a tag or a scope in it (guarantee 11)', async () => {
    const world = createWorld<string>({ resolveScope: (id) => ({ kind: HOSTILE, id }) })
    await world.connect({ watch: [[HOSTILE]], watcher: 'secret' }, HOSTILE)
    await world.respond({ path: `/${HOSTILE}`, method: HOSTILE }, HOSTILE)
    await world.respond({ body: { scope: { kind: HOSTILE } } }, HOSTILE)
    await world.system.invalidateTags({ tags: [[HOSTILE]], scope: { kind: HOSTILE, id: HOSTILE } })
    await settle()

    const text = world.system.metrics()

    expect([...parsePrometheus(text).keys()]).toEqual(NAMES)
    expect(text).not.toMatch(/secret|tag"|\\/)
    expect(samplesOf(world.system)).toMatchObject({ connections: 1, 'records_total recorded': 1 })
  })
})

describe('the state', () => {
  it('is degraded while the registry fails, for a process with streams', async () => {
    const world = createWorld()
    await world.connect()
    expect(world.system.stats().state).toBe('ready')
    world.registry.fail('head')
    await world.clock.advance(8000)
    expect(world.system.stats().state).toBe('degraded')

    world.registry.mend()
    await world.clock.advance(8000)

    expect(world.system.stats().state).toBe('ready')
  })

  it('is degraded after a record that failed, until one that does not', async () => {
    const world = createWorld()
    await refuse(world)
    expect(world.system.stats().state).toBe('degraded')

    await world.invalidate(['a'])

    expect(world.system.stats().state).toBe('ready')
  })

  it('is closing from the call of close() on', async () => {
    const world = createWorld()
    await world.connect()

    const closing = world.system.close({ drainMs: 1000 })

    expect(world.system.stats().state).toBe('closing')
    await world.clock.advance(3000)
    await closing
    expect(world.system.stats().state).toBe('closing')
  })
})
