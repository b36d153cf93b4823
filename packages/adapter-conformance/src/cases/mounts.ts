import { expect } from 'vitest'
import { PAGE_ORIGIN } from '../app.ts'
import type { World } from '../world.ts'
import type { Case } from './case.ts'

export const mountCases: Case[] = [
  { name: 'serves below a prefix', run: async (start) => expectToServe(await start()) },
  {
    name: 'serves in a nested router, below a parameter',
    needs: 'nested-router',
    run: async (start) => expectToServe(await start({ nested: true })),
  },
  {
    name: 'serves when the body was parsed before it',
    needs: 'body-parser',
    run: async (start) => expectToServe(await start({ parsesBodies: true })),
  },
  {
    name: 'serves over HTTP/2',
    needs: 'http2',
    async run(start) {
      const world = await start({ http2: true })
      await expectToServe(world)
      await world.empty()
    },
  },
  {
    name: 'knows its own origin over HTTP/2, where there may be no Host header',
    needs: 'http2',
    async run(start) {
      const world = await start({ http2: true })

      const own = await world.connect({}, { origin: `http://127.0.0.1:${world.app.port}` })
      const other = await world.connect({}, { origin: 'http://127.0.0.1:1' })

      expect([own.status, other.status]).toEqual([200, 403])
    },
  },
  {
    name: 'is served to the page of an allowed origin with the CORS headers of other middleware, refusals too',
    async run(start) {
      const world = await start({ cors: true })
      const headers = { origin: PAGE_ORIGIN, 'sec-fetch-site': 'cross-site' }

      const stream = await world.connect({}, headers)
      const { connection, cursor } = await stream.body.until('hello')
      const body = { connection, watcher: 'w', n: 1, add: [], remove: [], from: cursor }
      const answer = await world.ask({ method: 'POST', path: '/watch', body, headers })
      const refusal = await world.ask({ headers: { ...headers, 'x-user': 'nobody' } })

      for (const reply of [stream, answer, refusal]) {
        expect(reply.headers).toMatchObject({
          'access-control-allow-origin': PAGE_ORIGIN,
          'access-control-allow-credentials': 'true',
          'cache-control': 'private, no-store, no-transform',
        })
      }
      expect([stream.status, answer.status, refusal.status]).toEqual([200, 200, 401])
    },
  },
  {
    name: 'leaves preflights to CORS middleware',
    async run(start) {
      const world = await start({ cors: true })

      const reply = await world.ask({
        method: 'OPTIONS',
        headers: { origin: PAGE_ORIGIN, 'access-control-request-method': 'POST', 'x-user': undefined },
      })

      expect(reply.status).toBeLessThan(300)
      expect(reply.headers).toMatchObject({ 'access-control-allow-origin': PAGE_ORIGIN })
    },
  },
  {
    name: 'answers HEAD like a stream without a body, and opens none',
    async run(start) {
      const world = await start()

      const reply = await world.ask({ method: 'HEAD' })
      await reply.body.over()

      expect(reply.status).toBe(200)
      expect(reply.headers['content-type']).toBe('text/event-stream; charset=utf-8')
      expect(reply.body.text).toBe('')
      await world.empty()
    },
  },
  ...(
    [
      ['', 'GET, HEAD, POST, OPTIONS'],
      ['/watch', 'POST, OPTIONS'],
    ] as const
  ).map(([path, allow]): Case => ({
    name: `answers OPTIONS of ${path || 'the stream'} with what is allowed`,
    async run(start) {
      const world = await start()

      const reply = await world.ask({ method: 'OPTIONS', path })

      expect([reply.status, reply.headers['allow']]).toEqual([204, allow])
    },
  })),
]

/** A stream, a watch request, an invalidation, and nothing at other paths. */
async function expectToServe(world: World): Promise<void> {
  const stream = await world.connect()
  const { connection, cursor } = await stream.body.until('hello')
  const answer = await world.watch({ connection, from: cursor, add: [['b']] })
  const { at } = await world.system.invalidateTags({ tags: [['b']] })

  expect([stream.status, answer.status]).toEqual([200, 200])
  expect(await answer.body.json()).toEqual({ n: 1, tags: [] })
  await stream.body.until('invalidate', (frame) => frame.at === at)
  for (const path of ['/nothing', '/watch/nothing', '/nothing/watch']) {
    expect([path, (await world.ask({ path })).status]).toEqual([path, 404])
  }
  await stream.leave()
}
