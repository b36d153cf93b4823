import { encodeCursor } from '@query-tags/core'
import { expect } from 'vitest'
import type { Case } from './case.ts'

const GLOBAL = '["global",null]'

export const streamCases: Case[] = [
  {
    name: 'sends the hello at once, to clients that accept compression',
    async run(start) {
      const world = await start()

      const stream = await world.connect()

      expect(stream.status).toBe(200)
      expect(stream.headers).toMatchObject({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'private, no-store, no-transform',
        'x-content-type-options': 'nosniff',
        'x-accel-buffering': 'no',
      })
      expect(stream.headers).not.toHaveProperty('content-encoding')
      expect(await stream.body.until('hello')).toMatchObject({ v: 1, scoped: true, heartbeatMs: 25_000 })
    },
  },
  {
    name: 'delivers invalidations, one by one, of the watched tags and no others',
    async run(start) {
      const world = await start()
      const stream = await world.connect()
      await stream.body.until('hello')

      await world.system.invalidateTags({ tags: [['other']] })
      const first = await world.system.invalidateTags({ tags: [['a'], ['b']] })
      await stream.body.until('invalidate', ({ at }) => at === first.at)
      const second = await world.system.invalidateTags({ tags: [['a']], scope: { kind: 'user', id: 'ada' } })
      await stream.body.until('invalidate', ({ at }) => at === second.at)

      const invalidations = stream.body.frames.filter(({ event }) => event === 'invalidate')
      expect(invalidations).toMatchObject([
        { data: { scope: GLOBAL, tags: [['a'], ['b']] } },
        { data: { scope: '["user","ada"]', tags: [['a']] } },
      ])
    },
  },
  {
    name: 'streams to a plain GET, with a query',
    async run(start) {
      const world = await start()

      const stream = await world.ask({ path: '?t=1', headers: { accept: 'text/event-stream' } })
      await stream.body.until('hello')
      const { at } = await world.system.invalidateTags({ tags: [['anything']] })

      await stream.body.until('invalidate', (frame) => frame.at === at)
    },
  },
  {
    name: 'sends nothing of one user to another',
    async run(start) {
      const world = await start()
      const adas = await world.connect({ watch: '*' })
      const bobs = await world.connect({ watch: '*' }, { 'x-user': 'bob' })
      await Promise.all([adas.body.until('hello'), bobs.body.until('hello')])

      await world.system.invalidateTags({ tags: [['secret']], scope: { kind: 'user', id: 'ada' } })
      const { at } = await world.system.invalidateTags({ tags: [['public']] })
      await Promise.all([adas, bobs].map(({ body }) => body.until('invalidate', (frame) => frame.at === at)))

      expect(adas.body.text).toContain('secret')
      expect(bobs.body.text).not.toContain('secret')
    },
  },
  {
    name: 'answers a watch request, and delivers what was added',
    async run(start) {
      const world = await start()
      const stream = await world.connect()
      const { connection, cursor } = await stream.body.until('hello')
      const { scope, at: missedAt } = await world.system.invalidateTags({ tags: [['late']] })

      const answer = await world.watch({ connection, from: cursor, add: [['late'], ['later']] })
      const { at } = await world.system.invalidateTags({ tags: [['later']] })

      expect(answer.status).toBe(200)
      expect(await answer.body.json()).toEqual({ n: 1, tags: [['late']], at: [{ [scope]: missedAt }] })
      await stream.body.until('invalidate', (frame) => frame.at === at)
    },
  },
  {
    name: 'resumes from a cursor',
    async run(start) {
      const world = await start()
      const before = await world.connect()
      const { cursor } = await before.body.until('hello')
      await before.leave()
      await world.empty()
      const missed = await world.system.invalidateTags({ tags: [['a']] })

      const after = await world.connect({ cursor })

      await after.body.until('invalidate', ({ at }) => at === missed.at)
      expect(after.body.frames.map(({ event }) => event)).toEqual(['hello', 'invalidate'])
    },
  },
  {
    name: 'resumes from a Last-Event-ID',
    async run(start) {
      const world = await start()
      const before = await world.ask({})
      const { cursor } = await before.body.until('hello')
      await before.leave()
      const missed = await world.system.invalidateTags({ tags: [['a']] })

      const after = await world.ask({ headers: { 'last-event-id': encodeCursor(cursor) } })

      await after.body.until('invalidate', ({ at }) => at === missed.at)
    },
  },
]
