import { createTagInvalidationSystem } from '@query-tags/server'
import { afterEach, describe, expect, it } from 'vitest'
import { APPS, BASE, type Ctx, type SessionApp, type User } from './support/session-apps.ts'

// Elysia's listener on Node waits for the end of the process, and here are many.
process.setMaxListeners(0)

const STREAM = { v: 1, ageMs: 0, watcher: 'w', watch: '*' }
const WATCH = { connection: 'c', watcher: 'w', n: 1, add: [], remove: [], from: {} }

const REQUESTS: [what: string, path: string, init: RequestInit][] = [
  ['GET', '', {}],
  ['HEAD', '', { method: 'HEAD' }],
  ['POST', '', post(STREAM)],
  ['POST with a wish', '', post({ ...STREAM, scope: { kind: 'user', id: 'ada' } })],
  ['POST watch', '/watch', post(WATCH)],
]

function post(body: object): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** How apps read the user whom the middleware left there, or did not. */
const READINGS: [what: string, toCtx: (user: User | undefined) => Ctx][] = [
  ['relies on the user', (user) => ({ userId: user!.id })],
  ['puts up with a missing user', (user) => ({ userId: user?.id as string })],
  ['makes text of a missing user', (user) => ({ userId: user?.id ?? '' })],
]

let app: SessionApp
let system: ReturnType<typeof createTagInvalidationSystem<Ctx>>
const errors: unknown[] = []
afterEach(async () => {
  await system.close()
  await app.close()
  errors.length = 0
})

async function start(name: string, hasAuth: boolean, toCtx: (user: User) => Ctx): Promise<void> {
  system = createTagInvalidationSystem<Ctx>({
    resolveScope: ({ userId }) => ({ kind: 'user', id: userId }),
    onError: (error) => void errors.push(error),
  })
  app = await APPS[name]!({ system, hasAuth, toCtx })
}

describe.each(Object.keys(APPS))('on %s', (name) => {
  it.each(READINGS)(
    'auth middleware that was left out admits nobody, when context %s (guarantee 11)',
    async (_, toCtx) => {
      await start(name, false, toCtx)

      for (const [what, path, init] of REQUESTS) {
        const response = await fetch(`${app.url}${BASE}${path}`, init)
        const text = await response.text()
        expect({ what, status: response.status, text }).toEqual({
          what,
          status: 500,
          text:
            init.method === 'HEAD' ? '' : '{"code":"internal","message":"The server could not authorize the caller"}',
        })
      }
      expect(system.stats()).toMatchObject({ connections: 0, scopes: 0 })
      // And the developer hears why.
      expect(errors).toHaveLength(REQUESTS.length)
    },
  )

  it('auth middleware that is there admits its user to the scope of that user', async () => {
    await start(name, true, (user) => ({ userId: user.id }))

    const response = await fetch(`${app.url}${BASE}`, { headers: { authorization: 'Bearer ada' } })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    const { value } = await reader.read()
    await reader.cancel()

    expect(response.status).toBe(200)
    expect(value).toContain(String.raw`[\"user\",\"ada\"]`)
    expect(errors).toEqual([])
  })
})
