import { describe, expect, it, vi } from 'vitest'
import { createConnection } from '../../src/client/connection.ts'
import { Refusal } from '../../src/client/transport.ts'
import { QueryTagsError } from '../../src/errors.ts'
import { GLOBAL, USER } from './scripted-transport.ts'
import { FIRST, World } from './world.ts'

const HEARTBEAT_MS = 8000
const retryIn = (world: World): number | undefined => {
  const { status } = world.client
  return status.state === 'waiting' ? status.retryAt - world.environment.wallNow() : undefined
}
const live = async (): Promise<World> => {
  const world = new World()
  world.attach()
  await world.run()
  world.stream.hello()
  return world
}

describe('attaching', () => {
  it('opens the stream in the next task, with the tags that were watched until then', async () => {
    const world = new World()
    const attachment = world.attach()
    attachment.watch(['a'], FIRST)
    attachment.watch(['b'], FIRST)
    expect(world.transport.streams).toHaveLength(0)

    await world.run()

    expect(world.stream.request.watch).toEqual([['a'], ['b']])
  })

  it('makes one stream of a mount, an unmount and a mount, as in StrictMode', async () => {
    const world = new World()
    world.attach().detach()
    world.attach()

    await world.run(10_000)

    expect(world.transport.streams).toHaveLength(1)
  })

  it('refuses a second binding, and names the fix', () => {
    const world = new World()
    world.attach()

    expect(() => world.attach()).toThrow(expect.objectContaining({ code: 'already-bound' }))
    expect(() => world.attach()).toThrow(/close that binding/)
  })

  it('refuses a closed client', () => {
    const world = new World()
    world.client.close()

    expect(() => world.attach()).toThrow(expect.objectContaining({ code: 'closed' }))
  })

  it('refuses a scope that is none', () => {
    const world = new World()

    expect(() => world.attach({ kind: 'user', id: undefined as unknown as string })).toThrow(
      expect.objectContaining({ code: 'invalid-scope' }),
    )
    expect(world.environment.leftovers).toBe(0)
  })

  it('sends the scope as a wish', async () => {
    const world = new World()
    world.attach({ kind: 'user', id: '7' })

    await world.run()

    expect(world.stream.request.scope).toEqual({ kind: 'user', id: '7' })
  })

  it('calls nothing of a binding that was detached, and leaves nothing behind (guarantee 13)', async () => {
    const world = new World()
    const attachment = world.attach()
    await world.run()
    world.stream.hello()

    attachment.detach()
    attachment.detach()
    world.stream.invalidate('e:101', 'a')
    attachment.watch(['a'], FIRST)
    await world.run(60_000)

    expect(world.binding.log).toEqual(['hello'])
    expect(world.stream.isAborted).toBe(true)
    expect(world.client.status).toEqual({ state: 'paused', reason: 'unbound' })
    expect(world.environment.leftovers).toBe(0)
    expect(world.transport.watches).toHaveLength(0)
  })

  it('keeps an old attachment from touching the next one', async () => {
    const world = new World()
    const old = world.attach()
    old.detach()
    world.attach()
    await world.run()
    world.stream.hello()

    old.watch(['a'], FIRST)
    old.detach()
    await world.run(1000)

    expect(world.transport.watches).toHaveLength(0)
    expect(world.state).toBe('live')
  })
})

describe('the status', () => {
  it('is paused while unbound, connecting until hello, live then', async () => {
    const world = new World()
    expect(world.client.status).toEqual({ state: 'paused', reason: 'unbound' })
    world.attach()
    expect(world.state).toBe('connecting')
    await world.run()
    expect(world.state).toBe('connecting')

    world.stream.hello()

    expect(world.state).toBe('live')
  })

  it('is degraded while the server cannot verify, and live when it can (guarantee 9)', async () => {
    const world = await live()

    world.stream.heartbeat({ [GLOBAL]: 'e:100' }, false)
    expect(world.client.status).toEqual({ state: 'degraded', reason: 'unverified' })
    world.stream.heartbeat({ [GLOBAL]: 'e:100' }, true)

    expect(world.state).toBe('live')
  })

  it('is not live while a scope that was sent is not resolved: until its reset (guarantee 9)', async () => {
    const world = await live()
    world.stream.end()
    await world.run(1000)

    world.stream.hello({ cursor: {} })
    expect(world.state).toBe('degraded')
    world.stream.heartbeat({}, false)
    expect(world.state).toBe('degraded')
    world.stream.heartbeat({}, true)
    expect(world.state).toBe('degraded')
    world.stream.reset({ [GLOBAL]: 'f:1' }, 'epoch')

    expect(world.state).toBe('live')
  })

  it('is live after a reset of the only scope that was not resolved', async () => {
    const world = new World()
    world.attach()
    await world.run()
    world.stream.hello({ cursor: { [GLOBAL]: 'e:1', [USER]: 'e:1' } })
    world.stream.end()
    await world.run(1000)

    world.stream.hello({ cursor: { [GLOBAL]: 'e:1' } })
    expect(world.state).toBe('degraded')
    world.stream.reset({ [USER]: 'f:1' }, 'epoch')

    expect(world.state).toBe('live')
  })

  it('is live after a verified heartbeat, when a scope that was sent is none of ours any more', async () => {
    const world = new World()
    world.attach()
    await world.run()
    world.stream.hello({ cursor: { [GLOBAL]: 'e:1', [USER]: 'e:1' } })
    world.stream.end()
    await world.run(1000)

    world.stream.hello({ cursor: { [GLOBAL]: 'e:1' } })
    world.stream.heartbeat({ [GLOBAL]: 'e:1' })

    expect(world.state).toBe('live')
  })

  it('keeps its identity until it changes, and calls each listener once a change', async () => {
    const world = await live()
    const listener = vi.fn<() => void>()
    const unsubscribe = world.client.subscribe(listener)
    const { status } = world.client

    world.stream.heartbeat({ [GLOBAL]: 'e:100' })
    world.stream.invalidate('e:101', 'a')
    expect(world.client.status).toBe(status)
    expect(listener).not.toHaveBeenCalled()

    world.stream.heartbeat({ [GLOBAL]: 'e:101' }, false)
    expect(listener).toHaveBeenCalledOnce()
    unsubscribe()
    world.stream.heartbeat({ [GLOBAL]: 'e:101' })
    expect(listener).toHaveBeenCalledOnce()
  })

  it('survives a listener that throws', async () => {
    const world = new World()
    const after = vi.fn<() => void>()
    world.client.subscribe(() => {
      throw new Error('listener')
    })
    world.client.subscribe(after)
    world.attach()
    await world.run()

    world.stream.hello()

    expect(world.state).toBe('live')
    expect(after).toHaveBeenCalledTimes(2)
    expect(world.errors).toEqual([new Error('listener'), new Error('listener')])
  })

  it('survives a listener that closes the client', async () => {
    const world = new World()
    world.client.subscribe(() => world.state === 'connecting' && world.client.close())
    world.attach()

    await world.run(60_000)

    expect(world.state).toBe('closed')
    expect(world.transport.streams).toHaveLength(0)
    expect(world.environment.leftovers).toBe(0)
  })

  it('is behind when it was not live for 2.5 heartbeats, and not before', async () => {
    const world = new World()
    const attachment = world.attach()
    await world.run(2.5 * HEARTBEAT_MS)
    expect(attachment.isBehind()).toBe(false)
    await world.run(1000)
    expect(attachment.isBehind()).toBe(true)

    world.stream.hello()
    expect(attachment.isBehind()).toBe(false)
    world.environment.sleep(2.5 * HEARTBEAT_MS + 1)

    expect(attachment.isBehind()).toBe(true)
  })

  it('is behind no more when a reset made it live', async () => {
    const world = new World()
    const attachment = world.attach()
    await world.run(25_000)
    world.stream.hello({ cursor: {} })
    expect(attachment.isBehind()).toBe(true)

    world.stream.reset({ [GLOBAL]: 'e:1' })

    expect(attachment.isBehind()).toBe(false)
  })

  it('is behind when it was degraded for 2.5 heartbeats', async () => {
    const world = new World()
    const attachment = world.attach()
    await world.run()
    world.stream.hello()
    for (let n = 0; n < 3; n++) {
      world.stream.heartbeat({ [GLOBAL]: 'e:100' }, false)
      await world.run(HEARTBEAT_MS)
    }

    expect(attachment.isBehind()).toBe(true)
  })
})

describe('closing', () => {
  it('ends everything at once, for good, and as often as wanted (guarantee 13)', async () => {
    const world = new World()
    const attachment = world.attach()
    await world.run()
    world.stream.hello()
    attachment.watch(['a'], FIRST)
    await world.run(100)
    const listener = vi.fn<() => void>()
    world.client.subscribe(listener)

    world.client.close()
    world.client.close()

    expect(world.client.status).toEqual({ state: 'closed' })
    expect(listener).toHaveBeenCalledOnce()
    expect(world.stream.isAborted).toBe(true)
    expect(world.watch.signal.aborted).toBe(true)
    expect(world.environment.leftovers).toBe(0)
    attachment.watch(['b'], FIRST)
    attachment.unwatch(['a'])
    attachment.detach()
    world.watch.answer({ n: 1, tags: [['a']] })
    await world.run(600_000)
    expect(world.transport.streams).toHaveLength(1)
    expect(world.transport.watches).toHaveLength(1)
    expect(world.binding.log).toEqual(['hello'])
    expect(world.client.status).toEqual({ state: 'closed' })
  })

  it('is possible at any time: before the stream, while waiting, from inside an effect', async () => {
    const early = new World()
    early.attach()
    early.client.close()
    await early.run(1000)
    expect(early.transport.streams).toHaveLength(0)

    const waiting = new World()
    waiting.attach()
    await waiting.run()
    waiting.stream.fail(new TypeError('network'))
    await waiting.run()
    waiting.client.close()
    await waiting.run(60_000)
    expect(waiting.transport.streams).toHaveLength(1)

    const inside = await live()
    inside.binding.during = () => inside.client.close()
    inside.stream.invalidate('e:101', 'a')
    await inside.run(60_000)
    expect(inside.state).toBe('closed')
    expect(inside.environment.leftovers).toBe(0)
    expect(inside.errors).toEqual([])
  })
})

describe('a stream that ends', () => {
  it('is reopened within the server’s retryMs after a clean end, at random', async () => {
    const world = await live()
    world.stream.heartbeat({ [GLOBAL]: 'e:100' })
    world.environment.chance = 0.3

    world.stream.end()
    await world.run()

    expect(world.client.status).toMatchObject({ state: 'waiting', reason: 'ended' })
    expect(retryIn(world)).toBe(300)
    await world.run(300)
    expect(world.transport.streams).toHaveLength(2)
  })

  it('is reopened within the retryMs of a bye, at once when that is 0', async () => {
    const world = await live()
    world.stream.heartbeat({ [GLOBAL]: 'e:100' })

    world.stream.send('bye', { reason: 'reauthorize', retryMs: 0 })
    expect(world.client.status).toMatchObject({ state: 'waiting', reason: 'reauthorize' })
    expect(world.stream.isAborted).toBe(true)
    await world.run()

    expect(world.transport.streams).toHaveLength(2)
  })

  it('is not reopened in a tight loop when it ends right after each hello', async () => {
    const world = await live()
    const delays: number[] = []
    for (let n = 0; n < 7; n++) {
      world.stream.end()
      await world.run()
      delays.push(retryIn(world)!)
      await world.run(retryIn(world))
      world.stream.hello({ retryMs: 0 })
    }

    expect(delays).toEqual([500, 750, 1250, 2250, 4250, 8250, 10_250])
  })

  it('may say bye in place of hello', async () => {
    const world = new World()
    world.attach()
    await world.run()

    world.stream.send('bye', { reason: 'shutdown', retryMs: 6000 })

    expect(world.client.status).toMatchObject({ state: 'waiting', reason: 'shutdown' })
    expect(retryIn(world)).toBe(3000)
  })

  it('is retried with a growing delay while nothing answers, and soon again after a heartbeat', async () => {
    const world = new World()
    world.attach()
    await world.run()
    const delays: number[] = []
    for (let n = 0; n < 7; n++) {
      world.stream.fail(new TypeError('fetch failed'))
      await world.run()
      delays.push(retryIn(world)!)
      await world.run(retryIn(world))
    }
    expect(delays).toEqual([750, 1250, 2250, 4250, 8250, 10_250, 10_250])
    expect(world.errors).toEqual([])

    world.stream.hello()
    world.stream.heartbeat({ [GLOBAL]: 'e:100' })
    world.stream.fail(new TypeError('terminated'))
    await world.run()

    expect(retryIn(world)).toBe(750)
  })

  it('is found dead after 2.5 heartbeats without a byte, and replaced (guarantee 9)', async () => {
    const world = await live()
    await world.run(8000)
    world.stream.bytes()
    await world.run(2.5 * HEARTBEAT_MS - 1)
    expect(world.state).toBe('live')

    await world.run(1)

    expect(world.client.status).toMatchObject({ state: 'waiting', reason: 'timeout' })
    expect(world.stream.isAborted).toBe(true)
    await world.run(1000)
    expect(world.stream.request.replaces).toBe('c1')
  })

  it.each(['online', 'visible', 'restored'] as const)(
    'is checked at once when the page is %s (guarantee 9)',
    async (event) => {
      const world = await live()
      world.environment.page(event)
      expect(world.state).toBe('live')
      world.environment.sleep(3_600_000)

      world.environment.page(event)

      expect(world.client.status).toMatchObject({ state: 'waiting', reason: 'timeout' })
    },
  )

  it('is given up when it does not open within 20 s, as the seventh of an HTTP/1.1 origin', async () => {
    const world = new World()
    world.attach()
    await world.run(19_999)
    expect(world.state).toBe('connecting')

    await world.run(1)

    expect(world.client.status).toMatchObject({ state: 'waiting', reason: 'timeout' })
  })

  it('names the dead connection until there is another', async () => {
    const world = await live()
    world.stream.fail(new TypeError('reset'))
    await world.run(1000)
    expect(world.stream.request.replaces).toBe('c1')
    world.stream.fail(new TypeError('refused'))
    await world.run(2000)
    expect(world.stream.request.replaces).toBe('c1')
    world.stream.hello({ connection: 'c2' })
    world.stream.fail(new TypeError('reset'))
    await world.run(5000)

    expect(world.stream.request.replaces).toBe('c2')
  })
})

const refused = async (refusal: Refusal): Promise<World> => {
  const world = new World()
  world.attach()
  await world.run()
  world.stream.fail(refusal)
  await world.run()
  return world
}

describe('a refusal', () => {
  it.each([
    [new Refusal(401, 'unauthorized'), 'unauthorized'],
    [new Refusal(403, 'scope-denied'), 'scope-denied'],
    [new Refusal(403, 'origin-denied'), 'origin-denied'],
    [new Refusal(426, 'unsupported-version'), 'unsupported-version'],
  ])('of ours that time does not lift, $code, is tried again every 60 s', async (refusal, reason) => {
    const world = await refused(refusal)
    expect(world.client.status).toMatchObject({ state: 'waiting', reason })

    await world.run(59_000)
    expect(world.transport.streams).toHaveLength(1)
    await world.run(1000)
    expect(world.transport.streams).toHaveLength(2)
  })

  it.each(['visible', 'online', 'restored'] as const)(
    'of ours is tried again at once when the page is %s',
    async (event) => {
      const world = await refused(new Refusal(401, 'unauthorized'))

      world.environment.page(event)

      expect(world.transport.streams).toHaveLength(2)
    },
  )

  it.each([
    [new Refusal(401), 'http-401'],
    [new Refusal(403), 'http-403'],
    [new Refusal(500, 'internal'), 'internal'],
    [new Refusal(404), 'http-404'],
    [new Refusal(200), 'http-200'],
    [new Refusal(302), 'http-302'],
    [new Refusal(0), 'redirect'],
  ])('of somebody else, or that may pass, is tried again soon: %s', async (refusal, reason) => {
    const world = await refused(refusal)
    expect(world.client.status).toMatchObject({ state: 'waiting', reason })

    await world.run(1000)

    expect(world.transport.streams).toHaveLength(2)
  })

  it('with Retry-After is not tried before that, whatever the page says', async () => {
    const world = await refused(new Refusal(503, 'unavailable', 15_000))

    await world.run(14_000)
    world.environment.page('visible')
    expect(world.transport.streams).toHaveLength(1)
    await world.run(2000)
    expect(world.transport.streams).toHaveLength(2)
  })

  it('with a Retry-After of a day is tried again after five minutes', async () => {
    const world = await refused(new Refusal(503, undefined, 86_400_000))

    await world.run(301_000)

    expect(world.transport.streams).toHaveLength(2)
  })

  it('is no error, but an option that can’t be right is', async () => {
    const world = await refused(new Refusal(503))
    expect(world.errors).toEqual([])
    await world.run(1000)

    const error = new QueryTagsError('invalid-option', 'headers failed')
    world.stream.fail(error)
    await world.run()

    expect(world.errors).toEqual([error])
    expect(world.client.status).toMatchObject({ state: 'waiting', reason: 'invalid-option' })
  })
})

describe('the page', () => {
  it('offline, makes no attempt, and makes one at once when it is online', async () => {
    const world = await live()
    world.environment.page('offline')
    expect(world.client.status).toEqual({ state: 'paused', reason: 'offline' })
    expect(world.stream.isAborted).toBe(true)
    await world.run(600_000)
    expect(world.transport.streams).toHaveLength(1)

    world.environment.page('online')

    expect(world.transport.streams).toHaveLength(2)
  })

  it('offline and online again before Retry-After is over, is not left paused', async () => {
    const world = await live()
    world.stream.fail(new Refusal(503, 'unavailable', 15_000))
    await world.run()
    world.environment.page('offline')

    world.environment.online = true
    world.environment.page('online')
    await world.run(16_000)

    expect(world.transport.streams).toHaveLength(2)
  })

  it('offline from the start, is paused', async () => {
    const world = new World()
    world.environment.online = false
    world.attach()

    await world.run(60_000)

    expect(world.client.status).toEqual({ state: 'paused', reason: 'offline' })
    expect(world.transport.streams).toHaveLength(0)
  })

  it('frozen, ends its stream, and resumes when it is restored', async () => {
    const world = await live()
    world.stream.invalidate('e:105', 'a')
    world.environment.page('frozen')
    expect(world.client.status).toEqual({ state: 'paused', reason: 'hidden-page' })

    world.environment.page('restored')

    expect(world.stream.request.cursor).toEqual({ [GLOBAL]: 'e:105' })
    expect(world.transport.streams).toHaveLength(2)
  })

  it('visible again, hurries an attempt that waits', async () => {
    const world = new World()
    world.attach()
    await world.run()
    world.stream.fail(new TypeError('network'))
    await world.run()

    world.environment.page('visible')
    await world.run(60_000 - 1)

    expect(world.transport.streams.length).toBeGreaterThan(1)
    expect(world.transport.streams.filter((stream) => !stream.isAborted)).toHaveLength(1)
  })

  it('is listened to only while something is bound (guarantee 13)', () => {
    const world = new World()
    expect(world.environment.leftovers).toBe(0)
    const attachment = world.attach()

    attachment.detach()

    expect(world.environment.leftovers).toBe(0)
  })
})

describe('a receipt', () => {
  const receipt = { scope: GLOBAL, at: 'e:200', tags: [['a']] } as const

  it('is applied at once, also in a scope that the client is not in, and does not move the cursor (guarantee 5)', async () => {
    const world = new World()
    const attachment = world.attach()
    await world.run()
    world.stream.hello()

    world.client.applyReceipt(receipt)
    world.client.applyReceipt({ ...receipt, scope: USER })

    expect(world.binding.log).toEqual(['hello', 'receipt e:200 a', 'receipt e:200 a'])
    expect(attachment.position().cursor).toEqual({ [GLOBAL]: 'e:100' })
  })

  it('is ignored while nothing is bound', () => {
    const world = new World()

    world.client.applyReceipt(receipt)

    expect(world.binding.log).toEqual([])
  })

  it.each([
    undefined,
    null,
    {},
    { ...receipt, at: 'soon' },
    { ...receipt, at: undefined },
    { ...receipt, tags: [[]] },
    { ...receipt, scope: 'global' },
  ])('that is none is refused: %j', (value) => {
    const world = new World()

    expect(() => world.client.applyReceipt(value as never)).toThrow(
      expect.objectContaining({ code: 'malformed-message' }),
    )
  })
})

describe('errors of others', () => {
  it('go to the console, as a warning, when nobody else wants them', () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    const { environment, transport, binding } = new World()
    const client = createConnection({ environment, transport })
    client.subscribe(() => {
      throw new Error('listener')
    })

    client.attach(binding)

    expect(warn).toHaveBeenCalledExactlyOnceWith(new Error('listener'))
    client.close()
    warn.mockRestore()
  })
})
