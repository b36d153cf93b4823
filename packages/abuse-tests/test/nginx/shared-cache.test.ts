import { createExpressMiddleware } from '@query-tags/adapter-express'
import { createTagInvalidationSystem } from '@query-tags/server'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStream, type OpenStream } from '../support/open-stream.ts'
import { BASE, listen, type SessionApp } from '../support/session-apps.ts'
import { helloOf, userScope } from '../support/world.ts'
import { startCachingNginx, type Nginx } from './start-nginx.ts'

const system = createTagInvalidationSystem<string | undefined>({
  resolveScope: (user) => (user === undefined ? null : userScope(user)),
  limits: { maxConnectionsPerScope: 2 },
  heartbeatMs: 1000,
})
let server: SessionApp
let nginx: Nginx
let renders = 0
beforeAll(async () => {
  const app = express()
  app.use(BASE, createExpressMiddleware(system, { context: (req) => req.get('x-user') }))
  app.use((req, res) => void res.set('X-Render', String(++renders)).send(`page of ${req.get('x-user')}`))
  server = await listen(app)
  nginx = await startCachingNginx(server.url)
})
afterAll(async () => {
  await system.close()
  await Promise.all([nginx?.close(), server?.close()])
})

const STREAM = JSON.stringify({ v: 1, ageMs: 0, watcher: 'w', watch: '*' })

type Init = Omit<RequestInit, 'headers'> & { headers?: Record<string, string> }

const METHODS: [method: string, init: Init][] = [
  ['GET', {}],
  ['POST', { method: 'POST', headers: { 'content-type': 'application/json' }, body: STREAM }],
]

async function open(user: string, init: Init): Promise<OpenStream> {
  const stream = await openStream(`${nginx.url}${BASE}`, { ...init, headers: { ...init.headers, 'x-user': user } })
  await stream.begun()
  return stream
}

it('this nginx does give one user what it fetched for another, where it is allowed to', async () => {
  const [ada, grace] = [
    await fetch(`${nginx.url}/page`, { headers: { 'x-user': 'ada' } }),
    await fetch(`${nginx.url}/page`, { headers: { 'x-user': 'grace' } }),
  ]

  expect(grace.headers.get('x-cache')).toBe('HIT')
  expect(await grace.text()).toBe(await ada.text())
})

describe.each(METHODS)('behind a shared cache, by %s', (_, init) => {
  it('two users who connect at once have a stream of their own each, at once (guarantee 11)', async () => {
    const [ada, grace] = await Promise.all([open('ada', init), open('grace', init)])

    expect([ada, grace].map(({ headers }) => headers.get('x-cache'))).not.toContain('HIT')
    expect(helloOf(ada).connection).not.toBe(helloOf(grace).connection)
    expect(Object.keys(helloOf(ada).cursor)).toContain('["user","ada"]')
    expect(Object.keys(helloOf(grace).cursor)).toContain('["user","grace"]')
    await system.invalidateTags({ tags: [['only hers']], scope: userScope('ada') })
    await system.invalidateTags({ tags: [['for both']] })
    await expect.poll(() => grace.text(), { timeout: 1000 }).toContain('for both')
    expect(ada.text()).toContain('only hers')
    expect(grace.text()).not.toMatch(/ada|only hers/)
    for (const stream of [ada, grace]) stream.leave()
    await expect.poll(() => system.stats().connections, { timeout: 5000 }).toBe(0)
  })

  it('one who connects after another has left gets nothing of what the other was sent (guarantee 11)', async () => {
    const ada = await open('ada', init)
    ada.leave()
    await expect.poll(() => system.stats().connections, { timeout: 5000 }).toBe(0)

    const grace = await open('grace', init)

    expect(grace.headers.get('x-cache')).not.toBe('HIT')
    expect(helloOf(grace).connection).not.toBe(helloOf(ada).connection)
    expect(grace.text()).not.toMatch(/\bada\b/)
    grace.leave()
    await expect.poll(() => system.stats().connections, { timeout: 5000 }).toBe(0)
  })

  it('the refusal of one is not the answer to another', async () => {
    const refused = await openStream(`${nginx.url}${BASE}`, init)
    await refused.begun()
    const own = [await open('ada', init), await open('ada', init)]
    const tooMany = await open('ada', init)

    const grace = await open('grace', init)

    expect([refused, ...own, tooMany, grace].map(({ status }) => status)).toEqual([401, 200, 200, 429, 200])
    expect(Object.keys(helloOf(grace).cursor)).toContain('["user","grace"]')
    for (const stream of [...own, grace]) stream.leave()
    await expect.poll(() => system.stats().connections, { timeout: 5000 }).toBe(0)
  })
})

it('the answer to a watch request of one is not the answer to another', async () => {
  const [ada, grace] = [await open('ada', {}), await open('grace', {})]
  const { scope, at } = await system.invalidateTags({ tags: [['t', 'hers']], scope: userScope('ada') })

  const answers = await Promise.all(
    [ada, grace].map(async (stream, i) => {
      const { connection, cursor: from } = helloOf(stream)
      const body = { connection, watcher: 'late', n: 1, add: [['t', 'hers']], remove: [], from }
      const response = await fetch(`${nginx.url}${BASE}/watch`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-user': ['ada', 'grace'][i]! },
        body: JSON.stringify(body),
      })
      return response.json()
    }),
  )

  expect(answers).toEqual([
    { n: 1, tags: [['t', 'hers']], at: [{ [scope]: at }] },
    { n: 1, tags: [] },
  ])
  for (const stream of [ada, grace]) stream.leave()
})
