import type { Scope } from '@query-tags/core'
import { describe, expect, it } from 'vitest'
import { createTagInvalidationSystem } from '../../src/create-system.ts'
import { createMemoryRegistry } from '../../src/registry/memory.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { createGate } from '../support/gate.ts'
import { TestRegistry } from '../support/test-registry.ts'
import { openSink, type TestSink } from '../support/test-sink.ts'
import { createWorld, toRequest } from '../support/world.ts'

const ADA: Scope = { kind: 'user', id: 'ada' }
const BYE = [{ reason: 'reauthorize', retryMs: 1 }]
const STREAM = { v: 1, ageMs: 0, watcher: 'w', watch: '*' }

function resolveScope(id: string): Scope {
  return { kind: 'user', id }
}

/** Processes that share a registry, each with a way to it that can be disturbed. */
function createProcesses(count: number) {
  const clock = new FakeClock()
  const shared = createMemoryRegistry({ clock })
  return Array.from({ length: count }, () => {
    const registry = new TestRegistry(shared)
    const errors: unknown[] = []
    const onError = (error: unknown): void => void errors.push(error)
    const system = createTagInvalidationSystem({ store: registry, clock, onError, resolveScope })
    return {
      clock,
      registry,
      system,
      errors,
      async connect(id: string): Promise<TestSink> {
        const sink = openSink(await system.respond(toRequest({ body: STREAM }), () => id))
        await settle()
        return sink
      },
    }
  })
}

describe('disconnect', () => {
  it('ends the streams of the scope, and no other (guarantee 11)', async () => {
    const world = createWorld({ resolveScope })
    const sinks = await Promise.all(['ada', 'ada', 'grace'].map((id) => world.connect({}, id)))

    await world.system.disconnect({ scope: ADA })

    expect(sinks.map((sink) => sink.isEnded)).toEqual([true, true, false])
    expect(sinks[0]!.all('bye')).toEqual([{ reason: 'reauthorize', retryMs: 2 }])
    expect(sinks[2]!.events).toEqual(['hello'])
  })

  it('ends all of them for the global scope', async () => {
    const world = createWorld({ resolveScope })
    const sinks = await Promise.all(['ada', 'grace'].map((id) => world.connect({}, id)))

    await world.system.disconnect({ scope: { kind: 'global' } })

    expect(sinks.map((sink) => sink.isEnded)).toEqual([true, true])
  })

  it('lets whoever is authorized after it in', async () => {
    const world = createWorld({ resolveScope })
    await world.connect({}, 'ada')
    await world.system.disconnect({ scope: ADA })

    const sink = await world.connect({}, 'ada')
    await world.clock.advance(60_000)

    expect(sink.events).not.toContain('bye')
  })

  it('is known to nobody in the scope but by its bye', async () => {
    const world = createWorld({ resolveScope })
    const before = (await world.connect({ watch: '*' }, 'ada')).hello.cursor
    await world.system.disconnect({ scope: ADA })

    const sink = await world.connect({ watch: '*', cursor: before }, 'ada')
    await world.clock.advance(8000)

    expect(sink.events).toEqual(['hello', 'heartbeat'])
    expect(sink.all('heartbeat')[0]!.cursor).toEqual(before)
    expect(sink.text).not.toContain('disconnect')
  })

  it('takes a scope whose identity is as long as it may be', async () => {
    const id = '\ud800'.repeat(256)
    const world = createWorld({ resolveScope })
    const sink = await world.connect({}, id)

    await world.system.disconnect({ scope: { kind: 'user', id } })

    expect(sink.isEnded).toBe(true)
  })

  it.each([
    ['no scope', undefined],
    ['a user who was not loaded', { kind: 'user', id: undefined }],
    ['an empty kind', { kind: '' }],
  ])('refuses %s', async (_, scope) => {
    const world = createWorld({ resolveScope })

    await expect(world.system.disconnect({ scope: scope as Scope })).rejects.toMatchObject({ code: 'invalid-scope' })
  })

  it('is refused by a closed system, and leaves nothing behind there', async () => {
    const world = createWorld({ resolveScope })
    await world.connect({}, 'ada')
    await world.system.close()

    await expect(world.system.disconnect({ scope: ADA })).rejects.toMatchObject({ code: 'closed' })
    expect(world.clock.timers).toBe(0)
  })
})

describe('a connect that was authorized before a disconnect is ended too (guarantee 11)', () => {
  it('while resolveScope is pending', async () => {
    const gate = createGate()
    const world = createWorld<string>({
      resolveScope: async (id) => {
        await gate.opened
        return { kind: 'user', id }
      },
    })
    const responding = world.respond({ body: STREAM }, 'ada')
    const other = world.respond({ body: STREAM }, 'grace')
    await settle()

    await world.system.disconnect({ scope: ADA })
    gate.open()

    const sink = openSink(await responding)
    expect(sink.events).toEqual(['bye'])
    expect(sink.isEnded).toBe(true)
    const survivor = openSink(await other)
    await settle()
    expect(survivor.events).toEqual(['hello'])
  })

  it('while its body is on the way', async () => {
    const world = createWorld({ resolveScope })
    const body = createGate()
    const request = { ...toRequest({}), readBody: () => body.opened.then(() => STREAM) }
    const responding = world.system.respond(request, () => 'ada')
    await settle()

    await world.system.disconnect({ scope: ADA })
    body.open()

    expect(openSink(await responding).events).toEqual(['bye'])
  })

  it('while it has its place and is not open yet', async () => {
    const world = createWorld({ resolveScope })
    const outcome = await world.respond({ body: STREAM }, 'ada')

    await world.system.disconnect({ scope: ADA })

    expect(openSink(outcome).events).toEqual(['bye'])
  })

  it('while it reads what it missed', async () => {
    const world = createWorld({ resolveScope })
    const release = world.registry.hold('since')
    const sink = await world.connect({}, 'ada')

    await world.system.disconnect({ scope: ADA })
    release()
    await settle()

    expect(sink.events).toEqual(['bye'])
  })

  it('on a process that listens for the first time with this very connect', async () => {
    const world = createWorld({ resolveScope })
    const release = world.registry.hold('subscribe')
    const responding = world.respond({ body: STREAM }, 'ada')
    await settle()
    const disconnecting = world.system.disconnect({ scope: ADA })
    release()
    await disconnecting

    // Nobody was asked before the process listened, so this one was authorized after it.
    const sink = openSink(await responding)
    await settle()
    expect(sink.events).toEqual(['hello'])
  })

  it('and its watch requests find nothing', async () => {
    const world = createWorld({ resolveScope })
    const { connection, cursor: from } = (await world.connect({}, 'ada')).hello
    await world.system.disconnect({ scope: ADA })

    await expect(world.watch({ connection, from, add: [['b']] }, 'ada')).rejects.toThrow('409')
  })
})

describe('a disconnect on another process', () => {
  it('ends the streams here at once', async () => {
    const [here, there] = createProcesses(2)
    const sink = await here!.connect('ada')

    await there!.system.disconnect({ scope: ADA })

    expect(sink.all('bye')).toEqual(BYE)
  })

  it('may come from one that serves nobody', async () => {
    const [here] = createProcesses(1)
    const sink = await here!.connect('ada')
    const worker = createTagInvalidationSystem({ store: here!.registry })

    await worker.disconnect({ scope: ADA })

    expect(sink.all('bye')).toEqual(BYE)
  })

  it('survives a partition: it is found with the first heartbeat after it', async () => {
    const [here, there] = createProcesses(2)
    const sinks = [await here!.connect('ada'), await here!.connect('grace')]
    here!.registry.isLost = () => true
    here!.registry.fail('head', 'since')
    await there!.system.disconnect({ scope: ADA })
    await here!.clock.advance(60_000)
    expect(sinks.map((sink) => sink.isEnded)).toEqual([false, false])

    here!.registry.mend()
    await here!.clock.advance(8000)

    expect(sinks.map((sink) => sink.isEnded)).toEqual([true, false])
  })

  it('ends everyone when a partition outlasts what the log remembers', async () => {
    const clock = new FakeClock()
    const registry = new TestRegistry(createMemoryRegistry({ clock, maxTagsPerScope: 10 }))
    const system = createTagInvalidationSystem({ store: registry, clock, resolveScope })
    const sink = openSink(await system.respond(toRequest({ body: STREAM }), () => 'ada'))
    registry.isLost = () => true

    for (let i = 0; i < 20; i++) await system.disconnect({ scope: { kind: 'user', id: String(i) } })
    await clock.advance(8000)

    expect(sink.all('bye')).toEqual(BYE)
  })

  it('is not known while the registry is away: whoever was let in meanwhile has to come anew', async () => {
    const [here] = createProcesses(1)
    here!.registry.fail('subscribe', 'head', 'since')
    const sink = await here!.connect('ada')
    expect(sink.events).toEqual(['hello'])

    here!.registry.mend()
    await here!.clock.advance(8000)

    expect(sink.all('bye')).toEqual(BYE)
    const again = await here!.connect('ada')
    await here!.clock.advance(20_000)
    expect(again.events).not.toContain('bye')
  })
})

it('a disconnect that can not be recorded rejects, and still ends the streams of this process', async () => {
  const [here] = createProcesses(1)
  const sink = await here!.connect('ada')
  here!.registry.fail('record')

  await expect(here!.system.disconnect({ scope: ADA })).rejects.toMatchObject({ code: 'registry-unavailable' })

  expect(sink.all('bye')).toEqual(BYE)
})
