import { createElysiaPlugin } from '@query-tags/adapter-elysia'
import { createTagInvalidationSystem } from '@query-tags/server'
import { Elysia } from 'elysia'
import { expect, it } from 'vitest'

const system = createTagInvalidationSystem({
  resolveScope: (ctx: { userId: string | undefined }) =>
    ctx.userId === undefined ? null : { kind: 'user', id: ctx.userId },
})

async function helloOf(app: { handle(request: Request): Promise<Response> }, headers: HeadersInit): Promise<string> {
  const response = await app.handle(new Request('http://localhost/api/invalidator', { headers }))
  const reader = response.body!.getReader()
  const { value } = await reader.read()
  await reader.cancel()
  return new TextDecoder().decode(value)
}

// Elysia leaves out of the context what it does not see a handler use.
it('gives context the headers, the query and the cookies', async () => {
  const app = new Elysia().use(
    createElysiaPlugin(system, {
      context: (c) => ({ userId: `${c.headers['x-user']}+${String(c.cookie['user']?.value)}` }),
    }),
  )

  const hello = await helloOf(app, { 'x-user': 'ada', cookie: 'user=bob' })

  expect(hello).toContain(String.raw`[\"user\",\"ada+bob\"]`)
})

it('is below /api/invalidator unless a prefix says otherwise, and leaves other paths to the app', async () => {
  const app = new Elysia().get('/api/other', 'other').use(createElysiaPlugin(createTagInvalidationSystem()))
  const statusOf = async (path: string): Promise<number> =>
    (await app.handle(new Request(`http://localhost${path}`, { method: 'HEAD' }))).status

  expect(await helloOf(app, {})).toContain('event: hello')
  expect([await statusOf('/api/invalidator/'), await statusOf('/api/other'), await statusOf('/elsewhere')]).toEqual([
    200, 200, 404,
  ])
})

it('lets an auth plugin of the app refuse before it', async () => {
  const auth = new Elysia().onBeforeHandle({ as: 'scoped' }, ({ headers, status }) =>
    headers['x-user'] === undefined ? status(401, 'log in') : undefined,
  )
  const app = new Elysia()
    .use(auth)
    .use(createElysiaPlugin(system, { context: (c) => ({ userId: c.headers['x-user'] }) }))

  expect(await helloOf(app, {})).toBe('log in')
  expect(await helloOf(app, { 'x-user': 'ada' })).toContain(String.raw`[\"user\",\"ada\"]`)
})
