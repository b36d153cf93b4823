import { describe, expect, it } from 'vitest'
import type { ReadPosition } from '../../src/client/client.ts'
import { GLOBAL, USER } from './scripted-transport.ts'
import { FIRST, World } from './world.ts'

const from = (cursor: Record<string, string>): ReadPosition => ({ first: false, cursor })

/** A client with one stream that said hello. */
async function connected(cursor: Record<string, string> = { [GLOBAL]: 'e:100' }): Promise<World> {
  const world = new World()
  world.attach()
  await world.run()
  world.stream.hello({ cursor })
  return world
}

/** The stream breaks, and the next one opens. */
async function reconnect(world: World): Promise<void> {
  world.stream.fail(new TypeError('network'))
  await world.run()
  await world.run(10_000)
}

describe('the first request', () => {
  it('says how old the page is, by the clock that says more, with 30 s of slack', async () => {
    const world = new World()
    await world.run(2000)
    world.environment.sleep(60_000)
    world.attach()

    await world.run()

    expect(world.stream.request).toMatchObject({ v: 1, first: true, ageMs: 92_000, cursor: {} })
  })

  it('starts at the oldest snapshot that was hydrated (guarantee 8)', async () => {
    const world = new World()
    const attachment = world.attach()
    attachment.watch(['a'], from({ [GLOBAL]: 'e:50', [USER]: 'e:9' }))
    attachment.watch(['b'], { first: true, cursor: { [GLOBAL]: 'e:40' } })

    await world.run()

    expect(world.stream.request).toMatchObject({ cursor: { [GLOBAL]: 'e:40', [USER]: 'e:9' }, first: true })
  })

  it('starts where the server was when it rendered the page, whatever the age, in the scopes that the page came with', async () => {
    const world = new World()
    world.attachment = world.client.attach(world.binding, { pageCursor: { [GLOBAL]: 'e:50' } })
    await world.run()
    expect(world.stream.request).toMatchObject({ cursor: { [GLOBAL]: 'e:50' }, first: false, ageMs: 30_000 })
    await reconnect(world)
    expect(world.stream.request).toMatchObject({ cursor: { [GLOBAL]: 'e:50' }, first: false })

    world.stream.hello({ cursor: { [GLOBAL]: 'e:60' } })
    await reconnect(world)

    expect(world.stream.request).toMatchObject({ cursor: { [GLOBAL]: 'e:60' }, first: false })
  })

  it('takes a hello that starts after what the page came with for a reset (guarantee 3)', async () => {
    const world = new World()
    world.attachment = world.client.attach(world.binding, { pageCursor: { [GLOBAL]: 'e:50' } })
    await world.run()

    world.stream.hello({ cursor: { [GLOBAL]: 'f:60' } })

    expect(world.binding.log).toContainEqual(expect.stringContaining('reset'))
  })

  it('is a first one until there was a hello, and none afterwards', async () => {
    const world = new World()
    world.attach()
    await world.run()
    await reconnect(world)
    expect(world.stream.request.first).toBe(true)
    world.stream.hello()
    await reconnect(world)

    expect(world.stream.request.first).toBe(false)
    expect(world.stream.request.ageMs).toBeGreaterThan(30_000)
  })
})

describe('the cursor', () => {
  it('is unknown, and stands for the first position, until hello', async () => {
    const world = new World()
    const attachment = world.attach()
    await world.run()
    expect(attachment.position()).toEqual({ first: true, cursor: undefined })

    world.stream.hello()

    expect(attachment.position()).toEqual({ first: false, cursor: { [GLOBAL]: 'e:100' } })
  })

  it('is set by hello when the binding hears of it, before the frames that follow', async () => {
    const world = new World()
    const attachment = world.attach()
    const seen: unknown[] = []
    world.binding.during = () => seen.push(attachment.position().cursor)
    await world.run()

    world.stream.hello()
    world.stream.invalidate('e:101', 'a')

    expect(world.binding.log).toEqual(['hello', 'stream e:101 a'])
    expect(seen).toEqual([{ [GLOBAL]: 'e:100' }, { [GLOBAL]: 'e:100' }])
  })

  it('follows what was applied, and what did not match (guarantee 5)', async () => {
    const world = await connected()

    world.stream.invalidate('e:101', 'a')
    await reconnect(world)
    expect(world.stream.request.cursor).toEqual({ [GLOBAL]: 'e:101' })
    world.stream.hello({ cursor: { [GLOBAL]: 'e:101' } })
    world.stream.heartbeat({ [GLOBAL]: 'e:150' })
    await reconnect(world)

    expect(world.stream.request.cursor).toEqual({ [GLOBAL]: 'e:150' })
  })

  it('goes back with hello: the replay begins there', async () => {
    const world = await connected()
    await reconnect(world)

    world.stream.hello({ cursor: { [GLOBAL]: 'e:90' } })
    await reconnect(world)

    expect(world.stream.request.cursor).toEqual({ [GLOBAL]: 'e:90' })
  })

  it('is replaced as a whole by hello: a scope that is gone is gone', async () => {
    const world = await connected({ [GLOBAL]: 'e:100', [USER]: 'e:100' })
    await reconnect(world)

    world.stream.hello({ cursor: { [GLOBAL]: 'e:100' } })
    await reconnect(world)

    expect(world.stream.request.cursor).toEqual({ [GLOBAL]: 'e:100' })
  })

  it('never goes back with an invalidation or a heartbeat', async () => {
    const world = await connected()

    world.stream.invalidate('e:99', 'a')
    world.stream.heartbeat({ [GLOBAL]: 'e:98' })
    await reconnect(world)

    expect(world.binding.log).toContain('stream e:99 a')
    expect(world.stream.request.cursor).toEqual({ [GLOBAL]: 'e:100' })
  })

  it('does not pass into another epoch without a reset (guarantee 3)', async () => {
    const world = await connected()

    world.stream.invalidate('f:500', 'a')
    world.stream.heartbeat({ [GLOBAL]: 'f:500' })
    await reconnect(world)

    expect(world.stream.request.cursor).toEqual({ [GLOBAL]: 'e:100' })
  })

  it('gets a scope that hello could not resolve from a reset only (guarantee 5)', async () => {
    const world = await connected({ [GLOBAL]: 'e:100' })

    world.stream.send('invalidate', { scope: USER, at: 'e:101', tags: [['a']] })
    world.stream.heartbeat({ [GLOBAL]: 'e:100', [USER]: 'e:101' })
    await reconnect(world)
    expect(world.stream.request.cursor).toEqual({ [GLOBAL]: 'e:100' })
    world.stream.hello({ cursor: { [GLOBAL]: 'e:100' } })
    world.stream.reset({ [USER]: 'e:102' })
    await reconnect(world)

    expect(world.binding.log).toContain(`reset ${USER} expired`)
    expect(world.stream.request.cursor).toEqual({ [GLOBAL]: 'e:100', [USER]: 'e:102' })
  })

  it('is kept across bindings, and with it the first position', async () => {
    const world = new World()
    const one = world.attach()
    await world.run()
    world.stream.hello()
    world.stream.invalidate('e:120', 'a')
    one.detach()
    await world.run(60_000)

    const two = world.attach()
    expect(two.position()).toEqual({ first: false, cursor: { [GLOBAL]: 'e:120' } })
    two.watch(['a'], FIRST)
    await world.run()

    expect(world.stream.request).toMatchObject({ cursor: { [GLOBAL]: 'e:100' }, first: false, replaces: 'c1' })
  })

  it('is forgotten with the first position when the next binding is of another scope (guarantee 8)', async () => {
    const world = new World()
    const one = world.attach({ kind: 'user', id: '7' })
    await world.run()
    world.stream.hello()
    one.detach()

    const two = world.attach({ kind: 'user', id: '8' })
    expect(two.position()).toEqual({ first: true, cursor: undefined })
    await world.run()

    expect(world.stream.request).toMatchObject({ cursor: {}, first: true })
  })

  it('is kept when the next binding is of an equal scope', async () => {
    const world = new World()
    world.attach({ kind: 'user', id: '7' }).detach()
    const one = world.attach({ kind: 'user', id: '7' })
    await world.run()
    world.stream.hello()
    one.detach()

    world.attach({ kind: 'user', id: '7' })
    await world.run()

    expect(world.stream.request).toMatchObject({ cursor: { [GLOBAL]: 'e:100' }, first: false })
  })
})

const failing = async (run: (world: World) => void): Promise<World> => {
  const world = await connected()
  world.binding.during = () => {
    world.binding.during = () => {}
    throw new Error('effect')
  }
  run(world)
  return world
}

describe('effects come before the cursor', () => {
  it('an invalidation whose effect throws comes again, and nothing after it is applied (guarantee 5)', async () => {
    const world = await failing((broken) => broken.stream.invalidate('e:101', 'a'))
    const [first] = world.transport.streams

    first!.invalidate('e:102', 'b')
    first!.heartbeat({ [GLOBAL]: 'e:200' })
    await world.run(20_000)

    expect(world.errors).toEqual([new Error('effect')])
    expect(world.binding.log).toEqual(['hello', 'stream e:101 a'])
    expect(world.stream.request.cursor).toEqual({ [GLOBAL]: 'e:100' })
  })

  it('a reset whose effect throws comes again (guarantee 5)', async () => {
    const world = await failing((broken) => broken.stream.reset({ [GLOBAL]: 'f:1' }))

    await world.run(20_000)

    expect(world.stream.request.cursor).toEqual({ [GLOBAL]: 'e:100' })
  })

  it('a hello whose effect throws comes again, and leaves its asks unanswered (guarantee 5)', async () => {
    const world = new World()
    const attachment = world.attach()
    await world.run()
    world.stream.hello()
    world.stream.fail(new TypeError('network'))
    await world.run()
    attachment.watch(['a'], from({ [GLOBAL]: 'e:60' }))
    await world.run(1000)
    expect(world.stream.request.cursor).toEqual({ [GLOBAL]: 'e:60' })
    world.binding.during = () => {
      throw new Error('effect')
    }

    world.stream.hello({ cursor: { [GLOBAL]: 'e:60' } })
    expect(attachment.position().cursor).toEqual({ [GLOBAL]: 'e:100' })
    await world.run(20_000)

    expect(attachment.isWatched(['a'])).toBe(false)
    expect(world.stream.request).toMatchObject({ watch: [['a']], cursor: { [GLOBAL]: 'e:60' } })
  })

  it('an answer whose effect throws is asked for again (guarantee 5)', async () => {
    const world = new World()
    const attachment = world.attach()
    await world.run()
    world.stream.hello()
    attachment.watch(['a'], from({ [GLOBAL]: 'e:60' }))
    await world.run(100)
    world.binding.during = () => {
      throw new Error('effect')
    }

    world.watch.answer({ n: 1, tags: [['a']] })
    await world.run()
    expect(world.errors).toEqual([new Error('effect')])
    expect(world.client.status).toMatchObject({ state: 'waiting', reason: 'failed-effect' })
    await world.run(20_000)

    expect(world.stream.request).toMatchObject({ watch: [['a']], cursor: { [GLOBAL]: 'e:60' } })
  })

  it('an effect that throws every time does not make a tight loop', async () => {
    const world = new World()
    world.attach()
    world.binding.during = () => {
      throw new Error('effect')
    }
    await world.run()
    for (let n = 0; n < 6; n++) {
      world.stream.hello()
      await world.run(10_000)
    }
    world.stream.hello()

    await world.run(4000)

    expect(world.transport.streams).toHaveLength(7)
  })

  it('an effect that ends the binding leaves the next one its own cursor', async () => {
    const world = new World()
    const one = world.attach({ kind: 'user', id: '7' })
    await world.run()
    world.stream.hello()
    let position: ReadPosition | undefined
    world.binding.during = () => {
      world.binding.during = () => {}
      one.detach()
      position = world.attach({ kind: 'user', id: '8' }).position()
    }

    world.stream.reset({ [GLOBAL]: 'f:1' })
    await world.run()

    expect(position).toEqual({ first: true, cursor: undefined })
    expect(world.stream.request).toMatchObject({ cursor: {}, first: true })
  })
})

describe('a frame', () => {
  it('of an older stream is never applied (guarantee 5)', async () => {
    const world = await connected()
    const [old] = world.transport.streams
    await reconnect(world)

    old!.invalidate('e:500', 'a')
    old!.heartbeat({ [GLOBAL]: 'e:900' })
    old!.reset({ [GLOBAL]: 'f:1' })
    await reconnect(world)

    expect(world.binding.log).toEqual(['hello'])
    expect(world.stream.request.cursor).toEqual({ [GLOBAL]: 'e:100' })
  })

  it.each([
    ['invalidate', '{"scope":"[\\"global\\",null]","at":"e:101"}'],
    ['invalidate', '{"sc'],
    ['heartbeat', '[]'],
    ['hello', '{"v":1,"connection":"c2","cursor":{},"heartbeatMs":1,"retryMs":1,"scoped":false}'],
  ])(
    'that can’t be read, or does not belong there, drops the stream and comes again: %s %s (guarantee 3)',
    async (event, data) => {
      const world = await connected()

      world.stream.raw(event, data)
      world.stream.heartbeat({ [GLOBAL]: 'e:200' })
      expect(world.client.status).toMatchObject({ state: 'waiting', reason: 'malformed-message' })
      await world.run(1000)

      expect(world.transport.streams[0]!.isAborted).toBe(true)
      expect(world.stream.request.cursor).toEqual({ [GLOBAL]: 'e:100' })
    },
  )

  it('before hello drops the stream (guarantee 3)', async () => {
    const world = new World()
    world.attach()
    await world.run()

    world.stream.invalidate('e:1', 'a')

    expect(world.client.status).toMatchObject({ state: 'waiting', reason: 'malformed-message' })
    expect(world.binding.log).toEqual([])
  })

  it('of a kind that a later version added is ignored (guarantee 14)', async () => {
    const world = await connected()

    world.stream.raw('gossip', '{"news":true}')
    world.stream.raw('message', 'x')

    expect(world.state).toBe('live')
  })

  it('with fields that a later version added is read (guarantee 14)', async () => {
    const world = await connected()

    world.stream.raw('invalidate', `{"scope":${JSON.stringify(GLOBAL)},"at":"e:101","tags":[["a"]],"why":"x"}`)

    expect(world.binding.log).toEqual(['hello', 'stream e:101 a'])
  })

  it('hello of another version makes the client wait, with that reason (guarantee 3)', async () => {
    const world = new World()
    world.attach()
    await world.run()

    world.stream.hello({ v: 2 })

    expect(world.client.status).toMatchObject({ state: 'waiting', reason: 'unsupported-version' })
    expect(world.binding.log).toEqual([])
    await world.run(59_000)
    expect(world.transport.streams).toHaveLength(1)
  })
})

describe('doubt is a reset', () => {
  it('a first hello that comes more than 15 s after its request (guarantee 1)', async () => {
    const world = new World()
    world.attach()
    await world.run()
    world.environment.sleep(15_001)

    world.stream.hello({ cursor: { [GLOBAL]: 'e:100' } })

    expect(world.binding.log).toEqual(['hello', `reset ${GLOBAL} late`])
  })

  it('after which the page’s first position is not known (guarantee 8)', async () => {
    const world = new World()
    const attachment = world.attach()
    await world.run()
    world.environment.sleep(15_001)
    world.stream.hello()

    attachment.watch(['a'], FIRST)
    await world.run(100)

    expect(world.watch.request.from).toEqual({})
  })

  it('but not one that comes in time, nor a later one with a cursor', async () => {
    const world = new World()
    world.attach()
    await world.run()
    world.environment.sleep(15_000)
    world.stream.hello()
    await reconnect(world)
    world.environment.sleep(600_000)

    world.stream.hello()

    expect(world.binding.log).toEqual(['hello', 'hello'])
  })

  it('a hello in another epoch than what was sent, or after it (guarantee 3)', async () => {
    const epoch = await connected()
    await reconnect(epoch)
    epoch.stream.hello({ cursor: { [GLOBAL]: 'f:1' } })
    expect(epoch.binding.log).toEqual(['hello', 'hello', `reset ${GLOBAL} epoch`])

    const ahead = await connected()
    await reconnect(ahead)
    ahead.stream.hello({ cursor: { [GLOBAL]: 'e:101' } })
    expect(ahead.binding.log).toEqual(['hello', 'hello', `reset ${GLOBAL} epoch`])
  })

  it('a scope that a later hello brings without having been asked (guarantee 3)', async () => {
    const world = await connected()
    await reconnect(world)

    world.stream.hello({ cursor: { [GLOBAL]: 'e:100', [USER]: 'e:3' } })

    expect(world.binding.log).toEqual(['hello', 'hello', `reset ${USER} epoch`])
  })

  it('a scope whose reset was cut off, when the next hello can resolve it (guarantee 1)', async () => {
    const world = new World()
    const attachment = world.attach()
    attachment.watch(['a'], from({ [GLOBAL]: 'e:50', [USER]: 'old:5' }))
    await world.run()
    world.stream.hello({ cursor: { [GLOBAL]: 'e:50' } })
    await reconnect(world)

    world.stream.hello({ cursor: { [GLOBAL]: 'e:50', [USER]: 'new:900' } })

    expect(world.binding.log).toEqual(['missed a: expired', 'hello', 'hello', `reset ${USER} epoch`])
  })
})

describe('what hello answers', () => {
  it('takes the asks that went with the request as answered by the replay', async () => {
    const world = new World()
    const attachment = world.attach()
    attachment.watch(['a'], FIRST)
    attachment.watch(['b'], from({ [GLOBAL]: 'e:40' }))
    await world.run()
    expect(attachment.isWatched(['a'])).toBe(false)

    world.stream.hello({ cursor: { [GLOBAL]: 'e:40' } })
    await world.run(1000)

    expect(attachment.isWatched(['a'])).toBe(true)
    expect(attachment.isWatched(['b'])).toBe(true)
    expect(world.binding.log).toEqual(['hello'])
    expect(world.transport.watches).toHaveLength(0)
  })

  it('asks, after hello, for what came while the stream opened', async () => {
    const world = new World()
    const attachment = world.attach()
    await world.run()
    attachment.watch(['late'], FIRST)

    world.stream.hello()
    expect(attachment.isWatched(['late'])).toBe(false)
    await world.run(100)

    expect(world.watch.request).toMatchObject({ n: 1, add: [['late']], from: { [GLOBAL]: 'e:100' } })
  })

  it('starts again at what an unanswered ask was asked from, though a heartbeat passed it (guarantee 1)', async () => {
    const world = await connected()
    const attachment = world.reattach()
    await world.run()
    world.stream.hello()
    attachment.watch(['a'], from({ [GLOBAL]: 'e:80' }))
    await world.run(100)
    world.stream.heartbeat({ [GLOBAL]: 'e:300' })

    await reconnect(world)

    expect(world.stream.request).toMatchObject({ watch: [['a']], cursor: { [GLOBAL]: 'e:80' } })
    world.stream.hello({ cursor: { [GLOBAL]: 'e:80' } })
    expect(attachment.isWatched(['a'])).toBe(true)
    world.stream.heartbeat({ [GLOBAL]: 'e:301' })
    await reconnect(world)
    expect(world.stream.request.cursor).toEqual({ [GLOBAL]: 'e:301' })
  })

  it('starts again there also for an ask that was never sent, or whose stream broke before hello (guarantee 1)', async () => {
    const world = await connected()
    const attachment = world.reattach()
    await world.run()
    world.stream.hello()
    attachment.watch(['a'], from({ [GLOBAL]: 'e:80' }))
    world.stream.heartbeat({ [GLOBAL]: 'e:300' })
    await reconnect(world)
    expect(world.stream.request.cursor).toEqual({ [GLOBAL]: 'e:80' })

    await reconnect(world)

    expect(world.stream.request.cursor).toEqual({ [GLOBAL]: 'e:80' })
  })

  it('answers with expired what its replay can’t reach: another epoch, or a scope that is not known (guarantee 1)', async () => {
    const world = await connected({ [GLOBAL]: 'e:100', [USER]: 'e:100' })
    const attachment = world.reattach()
    attachment.watch(['old epoch'], from({ [GLOBAL]: 'd:80', [USER]: 'e:80' }))
    attachment.watch(['no scope'], from({ [GLOBAL]: 'e:90' }))
    attachment.watch(['known'], from({ [GLOBAL]: 'e:90', [USER]: 'e:90' }))
    attachment.watch(['unknown'], { first: false, cursor: undefined })
    await world.run()
    expect(world.stream.request.cursor).toEqual({ [GLOBAL]: 'e:90', [USER]: 'e:80' })

    world.stream.hello({ cursor: { [GLOBAL]: 'e:90', [USER]: 'e:80' } })

    expect(world.binding.log).toEqual(['hello', 'missed old epoch no scope unknown: expired', 'hello'])
    expect(attachment.isWatched(['old epoch'])).toBe(true)
  })

  it('answers with expired what was read first in a scope that the first hello lacked (guarantee 8)', async () => {
    const world = await connected({ [GLOBAL]: 'e:100' })
    world.stream.reset({ [USER]: 'e:50' })
    const attachment = world.reattach()
    attachment.watch(['a'], FIRST)
    await world.run()

    world.stream.hello({ cursor: { [GLOBAL]: 'e:100', [USER]: 'e:50' } })

    // Before hello, which a binding takes for the answer to whatever it has asked.
    expect(world.binding.log.slice(-2)).toEqual(['missed a: expired', 'hello'])
  })
})
