import { describe, expect, it } from 'vitest'
import type { Attachment, ReadPosition } from '../../src/client/client.ts'
import { Refusal } from '../../src/client/transport.ts'
import { GLOBAL, USER } from './scripted-transport.ts'
import { FIRST, World } from './world.ts'

const from = (cursor: Record<string, string>): ReadPosition => ({ first: false, cursor })
const at = (seq: number): ReadPosition => from({ [GLOBAL]: `e:${seq}` })

async function connected(): Promise<{ world: World; attachment: Attachment }> {
  const world = new World()
  const attachment = world.attach()
  await world.run()
  world.stream.hello()
  return { world, attachment }
}

describe('watch requests', () => {
  it('are batched for 100 ms, adds and removes', async () => {
    const { world, attachment } = await connected()
    attachment.watch(['a'], at(90))
    await world.run(60)
    attachment.watch(['b'], at(80))
    attachment.watch(['c'], at(95))
    attachment.unwatch(['c'])
    await world.run(39)
    expect(world.transport.watches).toHaveLength(0)

    await world.run(1)

    expect(world.watch.request).toEqual({
      connection: 'c1',
      watcher: world.stream.request.watcher,
      n: 1,
      add: [['a'], ['b']],
      remove: [],
      from: { [GLOBAL]: 'e:80' },
    })
  })

  it('are not sent for nothing', async () => {
    const { world, attachment } = await connected()
    attachment.watch(['a'], FIRST)
    attachment.unwatch(['a'])

    await world.run(1000)

    expect(world.transport.watches).toHaveLength(0)
    expect(world.environment.leftovers).toBe(2)
  })

  it('tell the binding what was missed, and acknowledge the tags before they do', async () => {
    const { world, attachment } = await connected()
    attachment.watch(['a'], at(90))
    await world.run(100)
    expect(attachment.isWatched(['a'])).toBe(false)
    let seen = false
    world.binding.during = () => (seen = attachment.isWatched(['a']))

    world.watch.answer({ n: 1, tags: [['x'], ['y']] })
    await world.run()

    expect(world.binding.log).toEqual(['hello', 'missed a: x y'])
    expect(seen).toBe(true)
    expect(attachment.position().cursor).toEqual({ [GLOBAL]: 'e:100' })
  })

  it('tell the binding where it was missed, when the server says so', async () => {
    const { world, attachment } = await connected()
    attachment.watch(['a'], at(90))
    await world.run(100)

    world.watch.answer({ n: 1, tags: [['x']], at: [{ [GLOBAL]: 'e:95' }] })
    await world.run()

    expect(world.binding.log).toEqual(['hello', `missed a: x at [${JSON.stringify({ [GLOBAL]: 'e:95' })}]`])
  })

  it('tell the binding that all was missed, when the server can’t say', async () => {
    const { world, attachment } = await connected()
    attachment.watch(['a'], at(90))
    await world.run(100)

    world.watch.answer({ n: 1, expired: true })
    await world.run()

    expect(world.binding.log).toEqual(['hello', 'missed a: expired'])
  })

  it('are in flight one at a time, numbered', async () => {
    const { world, attachment } = await connected()
    attachment.watch(['a'], at(90))
    await world.run(100)
    attachment.watch(['b'], at(80))
    attachment.unwatch(['a'])
    await world.run(5000)
    expect(world.transport.watches).toHaveLength(1)

    world.watch.answer({ n: 1, tags: [] })
    await world.run(100)

    expect(world.watch.request).toMatchObject({ n: 2, add: [['b']], remove: [['a']], from: { [GLOBAL]: 'e:80' } })
    world.watch.answer({ n: 2, tags: [] })
    await world.run(5000)
    expect(world.transport.watches).toHaveLength(2)
  })

  it('start at 1 again on each connection', async () => {
    const { world, attachment } = await connected()
    attachment.watch(['a'], at(90))
    await world.run(100)
    world.watch.answer({ n: 1, tags: [] })
    await world.run()
    world.stream.fail(new TypeError('network'))
    await world.run(1000)
    world.stream.hello({ connection: 'c2' })

    attachment.watch(['b'], at(90))
    await world.run(100)

    expect(world.watch.request).toMatchObject({ connection: 'c2', n: 1, add: [['b']] })
  })

  it('are retried with the same number and content, whatever was asked since (guarantee 12)', async () => {
    const { world, attachment } = await connected()
    attachment.watch(['a'], at(90))
    await world.run(100)
    const [first] = world.transport.watches
    world.stream.heartbeat({ [GLOBAL]: 'e:300' })
    attachment.watch(['b'], at(10))
    attachment.unwatch(['a'])

    first!.fail(new TypeError('network'))
    await world.run(1000)

    expect(world.transport.watches).toHaveLength(2)
    expect(world.watch.request).toEqual(first!.request)
  })

  it('are retried when no answer came for 10 s, and the late answer is ignored', async () => {
    const { world, attachment } = await connected()
    attachment.watch(['a'], at(90))
    await world.run(100)
    const [first] = world.transport.watches
    for (let n = 0; n < 2; n++) {
      world.stream.bytes()
      await world.run(5500)
    }
    expect(first!.signal.aborted).toBe(true)
    expect(world.transport.watches).toHaveLength(2)

    first!.answer({ n: 1, tags: [['x']] })
    await world.run()
    expect(attachment.isWatched(['a'])).toBe(false)
    world.watch.answer({ n: 1, tags: [] })
    await world.run()

    expect(attachment.isWatched(['a'])).toBe(true)
    expect(world.binding.log).toEqual(['hello', 'missed a: '])
  })

  it('respect Retry-After', async () => {
    const { world, attachment } = await connected()
    attachment.watch(['a'], at(90))
    await world.run(100)

    world.watch.fail(new Refusal(429, 'too-many-requests', 5000))
    await world.run(5499)
    expect(world.transport.watches).toHaveLength(1)
    await world.run(1000)

    expect(world.transport.watches).toHaveLength(2)
  })

  it('stop with their stream, and an answer that comes then is not applied (guarantee 5)', async () => {
    const { world, attachment } = await connected()
    attachment.watch(['a'], at(90))
    await world.run(100)
    world.stream.fail(new TypeError('network'))
    await world.run()

    world.watch.answer({ n: 1, tags: [['x']] })
    await world.run(1000)

    expect(world.watch.signal.aborted).toBe(true)
    expect(world.binding.log).toEqual(['hello'])
    expect(world.stream.request).toMatchObject({ watch: [['a']], cursor: { [GLOBAL]: 'e:90' } })
  })

  it('ask from where the page began, and from a snapshot, whichever is older', async () => {
    const { world, attachment } = await connected()
    world.stream.heartbeat({ [GLOBAL]: 'e:300' })
    attachment.watch(['a'], { first: true, cursor: { [GLOBAL]: 'e:200' } })
    await world.run(100)
    expect(world.watch.request.from).toEqual({ [GLOBAL]: 'e:100' })
    world.watch.answer({ n: 1, tags: [] })
    await world.run()

    attachment.watch(['a'], { first: true, cursor: { [GLOBAL]: 'e:7' } })
    await world.run(100)

    expect(world.watch.request.from).toEqual({ [GLOBAL]: 'e:7' })
  })

  it('leave a scope out that one of the asks has no position in, and keep a lost epoch: both are answered with expired (guarantee 3)', async () => {
    const world = new World()
    const attachment = world.attach()
    await world.run()
    world.stream.hello({ cursor: { [GLOBAL]: 'e:100', [USER]: 'e:100' } })

    attachment.watch(['a'], from({ [GLOBAL]: 'd:900' }))
    attachment.watch(['b'], from({ [GLOBAL]: 'e:90', [USER]: 'e:90' }))
    await world.run(100)

    expect(world.watch.request.from).toEqual({ [GLOBAL]: 'd:900' })
  })

  it('carry removes without touching what is watched', async () => {
    const { world, attachment } = await connected()
    attachment.watch(['a'], at(90))
    attachment.watch(['b'], at(90))
    await world.run(100)
    world.watch.answer({ n: 1, tags: [] })
    await world.run()

    attachment.unwatch(['a'])
    await world.run(100)
    expect(world.watch.request).toMatchObject({ n: 2, add: [], remove: [['a']] })
    world.watch.answer({ n: 2, tags: [] })
    await world.run()

    expect(attachment.isWatched(['b'])).toBe(true)
    expect(world.binding.log).toEqual(['hello', 'missed a b: '])
  })
})

const refuse = async (world: World, error: unknown = new Refusal(409, 'not-here')): Promise<void> => {
  world.watch.fail(error)
  await world.run()
}

describe('a connection that lives elsewhere', () => {
  it('is opened anew at once, with the full list, which answers the ask', async () => {
    const { world, attachment } = await connected()
    world.stream.heartbeat({ [GLOBAL]: 'e:100' })
    attachment.watch(['a'], at(90))
    await world.run(100)

    await refuse(world)

    expect(world.transport.streams).toHaveLength(2)
    expect(world.transport.streams[0]!.isAborted).toBe(true)
    expect(world.stream.request).toMatchObject({ watch: [['a']], cursor: { [GLOBAL]: 'e:90' }, replaces: 'c1' })
    world.stream.hello({ cursor: { [GLOBAL]: 'e:90' } })
    expect(attachment.isWatched(['a'])).toBe(true)
  })

  it('twice within a minute, makes the client watch everything; its asks are answered with expired where they are refused', async () => {
    const { world, attachment } = await connected()
    for (const name of ['a', 'b']) {
      world.stream.heartbeat({ [GLOBAL]: 'e:100' })
      attachment.watch([name], at(100))
      await world.run(100)
      await refuse(world)
      await world.run(1000)
      world.stream.hello()
    }
    expect(world.stream.request.watch).toBe('*')
    expect(attachment.isWatched(['b'])).toBe(true)

    attachment.watch(['c'], at(100))
    await world.run(100)
    expect(world.watch.request).toMatchObject({ add: [['c']] })
    await refuse(world)

    expect(world.transport.streams).toHaveLength(3)
    expect(world.state).toBe('live')
    expect(world.binding.log.at(-1)).toBe('missed c: expired')
    expect(attachment.isWatched(['c'])).toBe(true)
  })

  it('twice, but a minute apart, does not', async () => {
    const { world, attachment } = await connected()
    for (const name of ['a', 'b']) {
      for (let n = 0; n < 8; n++) {
        await world.run(8000)
        world.stream.heartbeat({ [GLOBAL]: 'e:100' })
      }
      attachment.watch([name], at(100))
      await world.run(100)
      await refuse(world)
      world.stream.hello()
    }

    expect(world.stream.request.watch).toEqual([['a'], ['b']])
  })

  it('is what a server means that takes no watch requests at all, e.g. behind a proxy: found after three attempts', async () => {
    const { world, attachment } = await connected()
    attachment.watch(['a'], at(90))
    await world.run(100)
    for (let n = 0; n < 3; n++) {
      world.watch.fail(new Refusal(502))
      await world.run(3000)
      world.stream.bytes()
    }

    expect(world.transport.watches).toHaveLength(3)
    expect(world.transport.streams).toHaveLength(2)
    expect(world.stream.request).toMatchObject({ watch: [['a']], cursor: { [GLOBAL]: 'e:90' } })
  })
})

describe('a Retry-After', () => {
  it('of a proxy does not keep the past of a tag unknown for an hour on a stream that is live (guarantee 9)', async () => {
    const { world, attachment } = await connected()
    attachment.watch(['a'], at(90))
    await world.run(100)

    world.watch.fail(new Refusal(503, undefined, 3_600_000))
    for (let n = 0; n < 5; n++) {
      await world.run(8000)
      world.stream.heartbeat({ [GLOBAL]: 'e:100' })
    }

    expect(world.state).toBe('live')
    expect(world.transport.watches).toHaveLength(2)
  })
})

describe('a long list', () => {
  it('makes the client watch everything, on a new stream, and go on asking', async () => {
    const { world, attachment } = await connected()
    world.stream.heartbeat({ [GLOBAL]: 'e:100' })
    for (let n = 0; n <= 2000; n++) attachment.watch([n], at(100))
    await world.run(100)
    await world.run()
    expect(world.transport.watches).toHaveLength(0)
    expect(world.stream.request.watch).toBe('*')
    world.stream.hello({ connection: 'c2' })
    expect(attachment.isWatched([2000])).toBe(true)

    attachment.watch(['more'], at(90))
    await world.run(100)

    expect(world.watch.request).toMatchObject({ connection: 'c2', n: 1, add: [['more']], from: { [GLOBAL]: 'e:90' } })
    expect(attachment.isWatched(['more'])).toBe(false)
    world.watch.answer({ n: 1, tags: [] })
    await world.run()
    expect(attachment.isWatched(['more'])).toBe(true)
  })
})
