import type { PlainTag } from '@query-tags/core'
import { describe, expect, it } from 'vitest'
import { settle } from '../support/fake-clock.ts'
import { createWorld, GLOBAL, type WatchMessage } from '../support/world.ts'

describe('a watch request', () => {
  it('answers what the added tags missed, and has them heard from then on', async () => {
    const world = createWorld()
    const sink = await world.connect()
    const { connection, cursor: from } = sink.hello
    await world.invalidate(['b'], ['c'])

    const answer = await world.watch({ connection, from, add: [['b']] })
    await world.invalidate(['b'])

    expect(answer).toMatchObject({ n: 1, tags: [['b']] })
    expect(sink.tags).toEqual(['["b"]'])
  })

  it('says where each tag was invalidated last since, in every scope where it was', async () => {
    const world = createWorld({ resolveScope: () => ({ kind: 'user', id: '7' }) })
    const sink = await world.connect()
    const { connection, cursor: from } = sink.hello
    const user = '["user","7"]'
    const once = await world.system.invalidateTags({ tags: [['a'], ['b']] })
    const again = await world.system.invalidateTags({ tags: [['b']] })
    const theirs = await world.system.invalidateTags({ tags: [['b']], scope: { kind: 'user', id: '7' } })

    const answer = await world.watch({ connection, from, add: [['a'], ['b']] })

    expect(answer).toEqual({
      n: 1,
      tags: [['a'], ['b']],
      at: [{ [GLOBAL]: once.at }, { [GLOBAL]: again.at, [user]: theirs.at }],
    })
  })

  it('takes tags off the list', async () => {
    const world = createWorld()
    const sink = await world.connect()
    const { connection, cursor: from } = sink.hello

    await world.watch({ connection, from, remove: [['a']] })
    await world.invalidate(['a'])

    expect(sink.tags).toEqual([])
    expect(world.system.stats().watchedTags).toBe(0)
  })

  it('keeps a tag that is in both lists', async () => {
    const world = createWorld()
    const sink = await world.connect()
    const { connection, cursor: from } = sink.hello

    await world.watch({ connection, from, add: [['a']], remove: [['a']] })
    await world.invalidate(['a'])

    expect(sink.tags).toEqual(['["a"]'])
  })

  it('adds before it reads: an invalidation during the read comes on the stream (guarantee 1)', async () => {
    const world = createWorld()
    const sink = await world.connect()
    const { connection, cursor: from } = sink.hello
    // The registry reads before the invalidation, and answers after it.
    const since = world.registry.since.bind(world.registry)
    world.registry.since = async (scope, after) => {
      const missed = await since(scope, after)
      await world.system.invalidateTags({ tags: [['b']] })
      return missed
    }

    const answer = await world.watch({ connection, from, add: [['b']] })

    expect(answer).toMatchObject({ n: 1, tags: [] })
    expect(sink.tags).toEqual(['["b"]'])
  })

  it('changes nothing when its number was seen, and is answered anew', async () => {
    const world = createWorld()
    const sink = await world.connect()
    const { connection, cursor: from } = sink.hello
    const first: WatchMessage = { connection, from, n: 1, add: [['b']] }
    await world.watch(first)
    await world.invalidate(['b'])

    const again = await world.watch(first)

    expect(again).toMatchObject({ n: 1, tags: [['b']] })
    expect(world.system.stats().watchedTags).toBe(2)
  })

  it('does not let a late copy of an old request undo a newer one (guarantee 1)', async () => {
    const world = createWorld()
    const sink = await world.connect()
    const { connection, cursor: from } = sink.hello
    const removes: WatchMessage = { connection, from, n: 1, remove: [['a']] }
    await world.watch(removes)
    await world.watch({ connection, from, n: 2, add: [['a']] })

    await world.watch(removes)
    await world.invalidate(['a'])

    expect(sink.tags).toEqual(['["a"]'])
  })

  it('that arrives before its elder leaves the younger in force (guarantee 1)', async () => {
    const world = createWorld()
    const sink = await world.connect()
    const { connection, cursor: from } = sink.hello

    await world.watch({ connection, from, n: 2, add: [['b']] })
    await world.watch({ connection, from, n: 1, remove: [['b']] })
    await world.invalidate(['b'])

    expect(sink.tags).toEqual(['["b"]'])
  })

  it.each([
    ['of another epoch', { [GLOBAL]: 'other:1' }],
    ['that lacks a scope', {}],
    ['ahead', { [GLOBAL]: 'x:9007199254740991' }],
  ])('is answered with expired from a position %s (guarantee 3)', async (_, from) => {
    const world = createWorld()
    const { connection } = (await world.connect()).hello

    expect(await world.watch({ connection, from, add: [['b']] })).toEqual({ n: 1, expired: true })
  })

  it('is answered with expired while the registry can not be read, and its tags are heard of once it can (guarantee 1)', async () => {
    const world = createWorld()
    const sink = await world.connect()
    const { connection, cursor: from } = sink.hello
    world.registry.fail('since')

    const answer = await world.watch({ connection, from, add: [['b']] })
    world.registry.mend()
    await world.invalidate(['b'])
    const again = await world.watch({ connection, from, add: [['b']] })

    expect(answer).toEqual({ n: 1, expired: true })
    expect(again).toMatchObject({ n: 1, tags: [['b']] })
    expect(world.errors).toMatchObject([{ phase: 'registry' }])
    expect(sink.tags).toEqual(['["b"]'])
  })

  it('is answered with expired over a thousand missed tags', async () => {
    const world = createWorld()
    const { connection, cursor: from } = (await world.connect()).hello
    for (let i = 0; i < 2; i++)
      await world.invalidate(...Array.from({ length: 501 }, (__, j): PlainTag => ['t', i * 501 + j]))

    const answer = await world.watch({ connection, from, add: [{ path: '', keys: [] }, ['t', 1]] })
    const keys = Array.from({ length: 1002 }, (__, i): PlainTag => ['t', i])
    const all = await world.watch({ connection, from, n: 2, add: keys })

    expect(answer).toMatchObject({ n: 1, tags: [['t', 1]] })
    expect(all).toEqual({ n: 2, expired: true })
  })

  it('asks without changing anything on a watcher of everything', async () => {
    const world = createWorld()
    const sink = await world.connect({ watch: '*' })
    const { connection, cursor: from } = sink.hello
    await world.invalidate(['b'])

    const answer = await world.watch({ connection, from, add: [['b']], remove: [['c']] })
    await world.invalidate(['c'])

    expect(answer).toMatchObject({ n: 1, tags: [['b']] })
    expect(sink.tags).toEqual(['["b"]', '["c"]'])
    expect(world.system.stats().watchedTags).toBe(0)
  })

  it('of another watcher has a list of its own on the connection', async () => {
    const world = createWorld()
    const sink = await world.connect()
    const { connection, cursor: from } = sink.hello
    await world.watch({ connection, from, watcher: 'tab2', add: [['a'], ['b']] })

    await world.watch({ connection, from, watcher: 'w', remove: [['a']] })
    await world.invalidate(['a'], ['b'])

    expect(sink.all('invalidate')).toHaveLength(1)
  })

  it('reads each scope of the connection', async () => {
    const world = createWorld({ resolveScope: () => ({ kind: 'user', id: '7' }) })
    const { connection, cursor: from } = (await world.connect()).hello
    await world.system.invalidateTags({ tags: [['b']], scope: { kind: 'user', id: '7' } })
    await world.system.invalidateTags({ tags: [['b']], scope: { kind: 'user', id: '8' } })
    await world.invalidate(['c'])

    const answer = await world.watch({ connection, from, add: [['b'], ['c']] })

    expect(answer).toMatchObject({ n: 1, tags: expect.toSatisfy((tags: unknown[]) => tags.length === 2) as unknown })
  })
})

/** Status and code of the answer. */
async function status(world: ReturnType<typeof createWorld>, message: Partial<WatchMessage>): Promise<unknown> {
  const body = { watcher: 'w', n: 1, add: [], remove: [], from: {}, ...message }
  const outcome = await world.respond({ path: '/watch', body })
  return outcome.kind === 'answer' ? [outcome.status, (JSON.parse(outcome.body!) as { code?: string }).code] : outcome
}

describe('a watch request is refused', () => {
  it('for an unknown connection and for one of other scopes, with the very same answer (guarantee 11)', async () => {
    const world = createWorld<{ id: string }>({ resolveScope: ({ id }) => ({ kind: 'user', id }) })
    const mine = await world.connect({}, { id: '7' })
    const body = { watcher: 'w', n: 1, add: [['b']], remove: [], from: mine.hello.cursor }
    const ask = (connection: string, id: string): ReturnType<typeof world.respond> =>
      world.respond({ path: '/watch', body: { ...body, connection } }, { id })

    const foreign = await ask(mine.hello.connection, '8')
    const unknown = await ask('0'.repeat(32), '8')

    expect(foreign).toMatchObject({ status: 409 })
    expect(foreign).toEqual(unknown)
    expect(await ask(mine.hello.connection, '7')).toMatchObject({ status: 200 })
    await world.system.invalidateTags({ tags: [['b']], scope: { kind: 'user', id: '7' } })
    expect(mine.tags).toEqual(['["b"]'])
  })

  it('after the connection ended, also during the read', async () => {
    const world = createWorld()
    const sink = await world.connect()
    const { connection, cursor: from } = sink.hello
    const read = world.registry.hold('since')
    const asked = status(world, { connection, from, add: [['b']] })
    await settle()

    sink.leave()
    await settle()
    read()

    expect(await asked).toEqual([409, 'not-here'])
    expect(await status(world, { connection })).toEqual([409, 'not-here'])
    expect(world.system.stats()).toMatchObject({ connections: 0, watchedTags: 0 })
  })

  it('over two thousand tags or 48 KiB, and leaves the list as it was', async () => {
    const world = createWorld()
    const { connection, cursor: from } = (await world.connect()).hello
    const many = Array.from({ length: 2000 }, (_, i): PlainTag => [i])
    const long = Array.from({ length: 60 }, (_, i): PlainTag => ['x'.repeat(900), i])

    expect(await status(world, { connection, from, add: many })).toEqual([413, 'too-large'])
    expect(await status(world, { connection, from, add: long })).toEqual([413, 'too-large'])
    expect(world.system.stats().watchedTags).toBe(1)
    expect(await status(world, { connection, from, add: many, remove: [['a']] })).toEqual([200, undefined])
    expect(world.system.stats().watchedTags).toBe(2000)
  })

  it('over 64 watchers', async () => {
    const world = createWorld({ limits: { maxControlCallsPerSecond: 100 } })
    const { connection } = (await world.connect()).hello

    const answers: unknown[] = []
    for (let i = 0; i < 64; i++) answers.push(await status(world, { connection, watcher: `tab${i}` }))

    expect(answers.at(-2)).toEqual([200, undefined])
    expect(answers.at(-1)).toEqual([413, 'too-large'])
  })

  it('over 20 in a second, until the next', async () => {
    const world = createWorld()
    const { connection } = (await world.connect()).hello
    const answers: unknown[] = []
    for (let i = 0; i < 21; i++) answers.push(await status(world, { connection }))

    expect(answers.at(-2)).toEqual([200, undefined])
    expect(answers.at(-1)).toEqual([429, 'too-many-requests'])
    await world.clock.advance(1000)
    expect(await status(world, { connection })).toEqual([200, undefined])
  })
})
