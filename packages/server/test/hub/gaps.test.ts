import { describe, expect, it } from 'vitest'
import type { Recorded } from '../../src/registry/tag-registry.ts'
import { settle } from '../support/fake-clock.ts'
import { createWorld, GLOBAL } from '../support/world.ts'

describe('a message that was lost between processes', () => {
  it('is read from the log before the next one is passed on (guarantee 6)', async () => {
    const world = createWorld()
    const sink = await world.connect({ watch: '*' })
    world.registry.isLost = ({ tags }) => JSON.stringify(tags) === '[["lost"]]'

    await world.invalidate(['lost'])
    await world.invalidate(['next'])

    expect(sink.tags).toEqual(['["lost"]', '["next"]'])
  })

  it('holds later messages until the repair is written, and no heartbeat overtakes it (guarantees 5, 6)', async () => {
    const world = createWorld({ heartbeatMs: 8000 })
    const sink = await world.connect({ watch: '*' })
    const before = sink.hello.cursor[GLOBAL]
    world.registry.isLost = ({ tags }) => JSON.stringify(tags) === '[["lost"]]'
    await world.invalidate(['lost'])
    const read = world.registry.hold('since')
    await world.invalidate(['next'])
    await world.invalidate(['last'])
    await world.clock.advance(8000)
    expect(sink.all('heartbeat')).toMatchObject([{ cursor: { [GLOBAL]: before }, verified: false }])
    expect(sink.tags).toEqual([])

    read()
    await world.clock.advance(8000)

    expect(sink.tags).toEqual(['["lost"]', '["next"]', '["last"]'])
    expect(sink.all('heartbeat')[1]).toMatchObject({ verified: true })
  })

  it('is found by a heartbeat when no other follows it (guarantee 9)', async () => {
    const world = createWorld({ heartbeatMs: 8000 })
    const sink = await world.connect()
    world.registry.isLost = () => true
    await world.invalidate(['a'])
    expect(sink.tags).toEqual([])

    await world.clock.advance(8000)

    expect(sink.events).toEqual(['hello', 'invalidate', 'heartbeat'])
    expect(sink.all('heartbeat')[0]?.cursor[GLOBAL]).toBe(sink.all('invalidate')[0]?.at)
  })

  it('is found again when the read that looked for it failed', async () => {
    const world = createWorld({ heartbeatMs: 8000 })
    const sink = await world.connect({ watch: '*' })
    world.registry.isLost = ({ tags }) => JSON.stringify(tags) === '[["lost"]]'
    await world.invalidate(['lost'])
    world.registry.fail('since')
    await world.invalidate(['next'])
    expect(sink.tags).toEqual([])
    world.registry.mend()

    await world.clock.advance(8000)

    expect(sink.tags).toEqual(['["lost"]', '["next"]'])
  })

  it('does not hide one that arrives just when the repair is over', async () => {
    const world = createWorld()
    const sink = await world.connect({ watch: '*' })
    world.registry.isLost = ({ tags }) => JSON.stringify(tags) === '[["lost"]]'
    const since = world.registry.since.bind(world.registry)
    let rounds = 0
    world.registry.since = async (scope, after) => {
      const missed = await since(scope, after)
      // Recorded after the log was read, several times in a row.
      if (rounds++ < 5) await world.system.invalidateTags({ tags: [['during', rounds]] })
      return missed
    }
    await world.invalidate(['lost'])

    await world.invalidate(['next'])
    await settle()

    expect(sink.tags).toEqual(['["lost"]', '["next"]', ...[1, 2, 3, 4, 5].map((i) => `["during",${i}]`)])
  })

  it('is read when the registry says that it subscribed again', async () => {
    const world = createWorld()
    const sink = await world.connect()
    world.registry.isLost = () => true
    await world.invalidate(['a'])
    const head = await world.registry.head(GLOBAL)

    world.registry.listeners[0]?.({ ...head, prev: head.seq, tags: [] })
    await settle()

    expect(sink.tags).toEqual(['["a"]'])
  })

  it('is not told twice when it was only late', async () => {
    const world = createWorld({ heartbeatMs: 8000 })
    const sink = await world.connect({ watch: '*' })
    const late: Recorded[] = []
    world.registry.isLost = (recorded) => late.push(recorded) > 0

    await world.invalidate(['a'])
    await world.clock.advance(8000)
    for (const recorded of late) world.registry.listeners[0]?.(recorded)

    expect(sink.tags).toEqual(['["a"]'])
  })

  it('is a reset for everyone when too much was lost to list', async () => {
    const world = createWorld({ heartbeatMs: 8000 })
    const sink = await world.connect()
    world.registry.isLost = () => true
    for (let i = 0; i < 1001; i++) await world.system.invalidateTags({ tags: [['t', i]] })

    await world.clock.advance(8000)

    expect(sink.events).toEqual(['hello', 'reset', 'heartbeat'])
    expect(sink.all('reset')).toMatchObject([{ scopes: [GLOBAL], reason: 'too-many' }])
  })
})

describe('a registry that lost its history while streams are open (guarantee 3)', () => {
  it('resets them at the next message, and goes on in the new epoch', async () => {
    const world = createWorld()
    const sink = await world.connect({ watch: '*' })
    const epoch = sink.hello.cursor[GLOBAL]!.split(':')[0]
    const other = createWorld({ seed: 2 })
    await other.clock.advance(50_000)
    // The same scope, served by another registry from here on.
    for (const method of ['since', 'head', 'record'] as const) {
      world.registry[method] = other.registry[method].bind(other.registry) as never
    }
    const { epoch: next, seq } = await other.registry.record(GLOBAL, [['a']])
    expect(sink.events).toEqual(['hello'])

    await world.clock.advance(8000)

    expect(next).not.toBe(epoch)
    expect(sink.all('reset')).toEqual([
      { scopes: [GLOBAL], cursor: { [GLOBAL]: `${next}:${seq}` }, reason: 'epoch', spreadMs: 1 },
    ])
    expect(sink.all('heartbeat')[0]?.cursor).toEqual({ [GLOBAL]: `${next}:${seq}` })
  })

  it('resets a client that resumes while the channel has not heard of it', async () => {
    const world = createWorld()
    const start = await world.invalidate(['a'])
    const open = await world.connect()
    const other = createWorld({ seed: 2 })
    await other.clock.advance(50_000)
    for (const method of ['since', 'head'] as const) {
      world.registry[method] = other.registry[method].bind(other.registry) as never
    }

    const sink = await world.connect({ cursor: { [GLOBAL]: start } })
    const byAge = await world.connect({ ageMs: 1000 })

    const head = await other.registry.head(GLOBAL)
    expect(sink.all('reset')).toMatchObject([{ reason: 'epoch', cursor: { [GLOBAL]: `${head.epoch}:${head.seq}` } }])
    expect(open.all('reset')).toMatchObject([{ reason: 'epoch' }])
    expect(byAge.events).toEqual(['hello'])
  })

  it('resets a client whose read and live messages are of different epochs (guarantee 6)', async () => {
    const world = createWorld()
    await world.connect()
    const other = createWorld({ seed: 2 })
    await other.clock.advance(50_000)
    // Only the read went to the other registry: what follows live does not continue it.
    world.registry.since = other.registry.since.bind(other.registry)

    const sink = await world.connect({ ageMs: 1000, watch: '*' })

    expect(sink.events).toEqual(['hello', 'reset'])
    expect(sink.all('reset')).toMatchObject([{ reason: 'epoch' }])
  })

  it('resets when the registry is behind what it said before', async () => {
    const world = createWorld({ heartbeatMs: 8000 })
    const head = await world.registry.head(GLOBAL)
    const sink = await world.connect({ watch: '*' })
    await world.invalidate(['a'])
    // Rolled back to before the invalidation, in the same epoch.
    world.registry.head = () => Promise.resolve(head)
    world.registry.since = (_, after) =>
      Promise.resolve('seq' in after && after.seq > head.seq ? 'expired' : { from: head, entries: [], head })

    await world.clock.advance(8000)

    expect(sink.all('reset')).toMatchObject([{ reason: 'ahead', cursor: { [GLOBAL]: `${head.epoch}:${head.seq}` } }])
  })
})
