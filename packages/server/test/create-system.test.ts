import { defineTags, QueryTagsError, type Scope } from '@query-tags/core'
import { describe, expect, it, vi } from 'vitest'
import { createTagInvalidationSystem } from '../src/create-system.ts'
import type { SystemOptions } from '../src/options.ts'
import { createMemoryRegistry } from '../src/registry/memory.ts'
import { FakeClock, settle } from './support/fake-clock.ts'
import { createGate } from './support/gate.ts'
import { createWorld, GLOBAL } from './support/world.ts'

const appTags = defineTags({ todos: { list: () => ['todos'], byId: (id: string) => ['todo', id] } })

describe('invalidateTags', () => {
  it('resolves with a receipt: scope, position and plain tags', async () => {
    const world = createWorld()

    const receipt = await world.system.invalidateTags({
      tags: [appTags.todos.byId('7'), ['raw']],
      scope: { kind: 'user', id: '7' },
    })

    const head = await world.registry.head('["user","7"]')
    expect(receipt).toEqual({
      scope: '["user","7"]',
      at: `${head.epoch}:${head.seq}`,
      tags: [{ path: 'todos.byId', key: ['todo', '7'] }, ['raw']],
    })
  })

  it('goes to the global scope without a scope', async () => {
    const world = createWorld()
    const sink = await world.connect()

    await world.system.invalidateTags({ tags: [['a']] })

    expect(sink.all('invalidate')).toMatchObject([{ scope: GLOBAL }])
  })

  it('takes groups and uncalled factories', async () => {
    const world = createWorld()
    const sink = await world.connect({ watch: [appTags.todos.byId('7')] })

    await world.system.invalidateTags({ tags: [appTags.todos.byId] })
    await world.system.invalidateTags({ tags: [appTags.todos()] })

    expect(sink.all('invalidate')).toHaveLength(2)
  })

  it('records each tag once', async () => {
    const world = createWorld()

    const { tags } = await world.system.invalidateTags({ tags: [['a'], ['b'], ['a']] })

    expect(tags).toEqual([['a'], ['b']])
  })

  it('remembers a tag as it was when it was recorded', async () => {
    const world = createWorld()
    const start = await world.invalidate(['before'])
    const tag: [string, { n: number }] = ['a', { n: 1 }]
    const { tags } = await world.system.invalidateTags({ tags: [tag] })

    tag[1].n = 2

    const sink = await world.connect({ cursor: { [GLOBAL]: start }, watch: '*' })
    expect(tags).toEqual([['a', { n: 1 }]])
    expect(sink.tags).toEqual(['["a",{"n":1}]'])
  })

  it('does nothing for no tags, and says where the scope is', async () => {
    const world = createWorld()
    const at = await world.invalidate(['a'])

    expect(await world.system.invalidateTags({ tags: [] })).toEqual({ scope: GLOBAL, at, tags: [] })
    expect(world.registry.count('record')).toBe(1)
  })

  it.each([
    ['a scope that is there but undefined', { tags: [['a']], scope: undefined }, 'invalid-scope'],
    ['a scope that is null', { tags: [['a']], scope: null }, 'invalid-scope'],
    ['a scope with an undefined id', { tags: [['a']], scope: { kind: 'user', id: undefined } }, 'invalid-scope'],
    ['a scope with an empty kind', { tags: [['a']], scope: { kind: '' } }, 'invalid-scope'],
    ['an empty tag', { tags: [[]] }, 'invalid-tag'],
    ['a tag that is text', { tags: ['todos'] }, 'invalid-tag'],
    ['a tag in place of tags', { tags: 'todos' }, 'invalid-tag'],
    ['over a thousand tags', { tags: Array.from({ length: 1001 }, (_, i) => [i]) }, 'too-large'],
    ['over 48 KiB', { tags: Array.from({ length: 50 }, (_, i) => ['x'.repeat(1000), i]) }, 'too-large'],
  ])('rejects %s, and records nothing (guarantee 2)', async (_, invalidate, code) => {
    const world = createWorld()

    await expect(world.system.invalidateTags(invalidate as never)).rejects.toMatchObject({ code })
    expect(world.registry.count('record')).toBe(0)
  })

  it('rejects when the registry fails, and says why (guarantee 2)', async () => {
    const world = createWorld()
    world.registry.fail('record')

    const error: unknown = await world.system.invalidateTags({ tags: [['a']] }).catch((thrown: unknown) => thrown)

    expect(error).toMatchObject({ code: 'registry-unavailable', cause: { message: 'record failed' } })
  })

  it('rejects after five seconds when the registry hangs (guarantee 2)', async () => {
    const world = createWorld()
    world.registry.hold('record')
    const settled = vi.fn<(error: unknown) => void>()
    world.system.invalidateTags({ tags: [['a']] }).catch(settled)

    await world.clock.advance(4999)
    expect(settled).not.toHaveBeenCalled()
    await world.clock.advance(1)

    expect(settled).toHaveBeenCalledWith(expect.objectContaining({ code: 'registry-unavailable' }))
    expect(world.system.stats()).toMatchObject({ pendingRecords: 0, timers: 0 })
  })

  it('rejects at once while too many others wait (guarantee 2)', async () => {
    const world = createWorld({ limits: { maxPendingRecords: 3 } })
    const release = world.registry.hold('record')
    const waiting = [1, 2, 3].map((i) => world.system.invalidateTags({ tags: [[i]] }))

    await expect(world.system.invalidateTags({ tags: [['a']] })).rejects.toMatchObject({ code: 'registry-unavailable' })
    release()
    await Promise.all(waiting)
    await expect(world.system.invalidateTags({ tags: [['a']] })).resolves.toBeDefined()
  })
})

describe('invalidateAfter', () => {
  it('records after the work has resolved, and resolves with its result', async () => {
    const world = createWorld()
    const sink = await world.connect()
    const done = createGate()
    const work = world.system.invalidateAfter(async (invalidate) => {
      invalidate({ tags: [['a']] })
      await done.opened
      return 'done'
    })
    await settle()
    expect(sink.tags).toEqual([])

    done.open()

    expect(await work).toBe('done')
    expect(sink.tags).toEqual(['["a"]'])
  })

  it('records nothing when the work throws', async () => {
    const world = createWorld()

    const work = world.system.invalidateAfter((invalidate) => {
      invalidate({ tags: [['a']] })
      throw new Error('rolled back')
    })

    await expect(work).rejects.toThrow('rolled back')
    expect(world.registry.count('record')).toBe(0)
  })

  it('fails the work for a bad tag, before anything is committed', async () => {
    const world = createWorld()
    const commit = vi.fn<() => void>()

    const work = world.system.invalidateAfter((invalidate) => {
      invalidate({ tags: [[] as never] })
      commit()
    })

    await expect(work).rejects.toMatchObject({ code: 'invalid-tag' })
    expect(commit).not.toHaveBeenCalled()
  })

  it('rejects with the result of the work when recording fails (guarantee 2)', async () => {
    const world = createWorld()
    world.registry.fail('record')

    const work = world.system.invalidateAfter((invalidate) => {
      invalidate({ tags: [['a']] })
      return { id: 5 }
    })

    const error: unknown = await work.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(QueryTagsError)
    expect(error).toMatchObject({ code: 'registry-unavailable', result: { id: 5 } })
  })

  it('refuses an invalidate that comes after the work', async () => {
    const world = createWorld()

    const late = await world.system.invalidateAfter((invalidate) => invalidate)

    expect(() => {
      late({ tags: [['a']] })
    }).toThrow(expect.objectContaining({ code: 'closed' }))
  })
})

describe('cursor', () => {
  it('is where the global scope and the given ones are', async () => {
    const world = createWorld()
    const at = await world.invalidate(['a'])
    const user = { kind: 'user', id: '7' }

    expect(await world.system.cursor()).toEqual({ [GLOBAL]: at })
    const one = await world.system.cursor(user)
    expect(Object.keys(one)).toEqual([GLOBAL, '["user","7"]'])
    expect(await world.system.cursor([user, user])).toEqual(one)
  })

  it('resumes exactly, without a connect before it (guarantee 8)', async () => {
    const world = createWorld()
    const cursor = await world.system.cursor()
    await world.invalidate(['a'])

    const sink = await world.connect({ cursor })

    expect(sink.tags).toEqual(['["a"]'])
  })

  it('leaves out what the registry can not tell, and reports it', async () => {
    const world = createWorld()
    world.registry.fail('head')

    expect(await world.system.cursor()).toEqual({})
    expect(world.errors).toMatchObject([{ phase: 'registry' }])
  })

  it('knows nothing once the system is closed, so that pages which are still rendered do not fail', async () => {
    const world = createWorld()
    await world.system.close()

    expect(await world.system.cursor()).toEqual({})
    expect(world.errors).toEqual([])
  })

  it('refuses a scope that is none', async () => {
    await expect(createWorld().system.cursor({ kind: '' })).rejects.toMatchObject({ code: 'invalid-scope' })
  })
})

describe('options', () => {
  it.each([
    ['a store that is none, naming what is possible', { store: {} }, 'TagRegistry'],
    ['a heartbeat above 25 s', { heartbeatMs: 25_001 }, 'heartbeatMs (25001)'],
    ['a heartbeat below 100 ms', { heartbeatMs: 99 }, 'heartbeatMs (99)'],
    ['a heartbeat that is no number', { heartbeatMs: Number.NaN }, 'heartbeatMs'],
    ['a stream length of nothing', { maxStreamMs: 0 }, 'maxStreamMs (0)'],
    ['an origin with a path', { allowedOrigins: ['https://a.test/'] }, '"https://a.test/"'],
    ['a host in place of an origin', { allowedOrigins: ['a.test'] }, '"a.test"'],
    ['every origin', { allowedOrigins: ['*'] }, '"*"'],
    ['the origin null', { allowedOrigins: ['null'] }, '"null"'],
    ['an unknown limit', { limits: { maxSockets: 5 } }, 'limits.maxSockets'],
    ['a limit of nothing', { limits: { maxConnections: 0 } }, 'limits.maxConnections (0)'],
    ['a resolveScope that is no function', { resolveScope: 'user' }, 'resolveScope'],
    ['an onError that is no function', { onError: 'user' }, 'onError'],
  ])('refuse %s', (_, options, text) => {
    const create = (): unknown => createTagInvalidationSystem(options as unknown as SystemOptions)

    expect(create).toThrow(
      expect.objectContaining({ code: 'invalid-option', message: expect.stringContaining(text) as string }),
    )
  })

  it('take a registry of the application, and leave it open at close', async () => {
    const clock = new FakeClock()
    const store = createMemoryRegistry({ clock })
    const [first, second] = [
      createTagInvalidationSystem({ store, clock }),
      createTagInvalidationSystem({ store, clock }),
    ]
    const receipt = await first.invalidateTags({ tags: [['a']] })

    await first.close()

    expect(await second.cursor()).toEqual({ [GLOBAL]: receipt.at })
  })

  it('log one line per second and phase when there is no onError', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const clock = new FakeClock()
    const system = createTagInvalidationSystem({
      clock,
      resolveScope: (): Scope => {
        throw new Error('line 1\nline 2')
      },
    })
    const handler = system.createAPIHandler()
    const ask = (): Promise<Response> => handler(new Request('http://app.test/api/invalidator'))

    await ask()
    await ask()
    expect(warn.mock.calls).toEqual([[String.raw`query-tags (resolve-scope) "Error: line 1\nline 2"`]])
    await clock.advance(1000)
    await ask()

    expect(warn).toHaveBeenCalledTimes(2)
    warn.mockRestore()
  })
})
