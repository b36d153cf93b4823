import { createExpressMiddleware } from '@query-tags/adapter-express'
import type { HelloFrame, Scope, StreamRequest } from '@query-tags/core'
import { createTagInvalidationSystem, type Limits } from '@query-tags/server'
import express from 'express'
import { expect } from 'vitest'
import { openStream, type OpenStream } from './open-stream.ts'
import { BASE, listen } from './session-apps.ts'

export const userScope = (id: string): Scope => ({ kind: 'user', id })

export interface Hostile {
  /** Of the mount. */
  readonly url: string
  readonly system: ReturnType<typeof createTagInvalidationSystem<string>>
  post(path: string, user: string, body: unknown): Promise<Response>
  /** Opens a stream as a user, and waits for its first frame. */
  stream(user: string, message?: Partial<StreamRequest>): Promise<OpenStream>
  /** Grace, who has been there all the time, is told of her own at once; and somebody new is let in. */
  expectService(): Promise<void>
  /** What Grace was sent so far. */
  readonly grace: OpenStream
  close(): Promise<void>
}

const headersOf = (user: string) => ({ 'x-user': user, 'content-type': 'application/json' })

/** A real server with one user on it, who minds her own business. A request's user is its `x-user`. */
export async function startServer({
  limits = {},
  toId = (user) => user,
}: { limits?: Partial<Limits>; toId?: (user: string) => string } = {}): Promise<Hostile> {
  const system = createTagInvalidationSystem<string>({
    resolveScope: (user) => userScope(toId(user)),
    limits,
    // So that no stream of these tests ends by itself, and heartbeats come while one is attacked.
    heartbeatMs: 500,
  })
  const app = express()
  app.use(BASE, createExpressMiddleware(system, { context: (req) => req.get('x-user') ?? 'nobody' }))
  const server = await listen(app)
  const url = `${server.url}${BASE}`

  const post: Hostile['post'] = (path, user, body) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: headersOf(user),
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const stream: Hostile['stream'] = async (user, message) => {
    const body = JSON.stringify({ v: 1, ageMs: 0, watcher: 'w', watch: '*', ...message })
    const opened = await openStream(url, { method: 'POST', headers: headersOf(user), body })
    await opened.begun()
    return opened
  }
  const grace = await stream('grace')
  let checks = 0

  return {
    url,
    system,
    post,
    stream,
    grace,
    async expectService() {
      const tag = [`check ${checks++}`]
      const askedAt = performance.now()
      await system.invalidateTags({ tags: [tag as [string]], scope: userScope('grace') })
      await expect.poll(() => grace.text(), { timeout: 5000, interval: 5 }).toContain(JSON.stringify(tag))
      expect(performance.now() - askedAt).toBeLessThan(1000)
      const newcomer = await openStream(url, { headers: { 'x-user': 'newcomer' } })
      await newcomer.begun()
      expect(newcomer.frames()[0]?.event).toBe('hello')
      newcomer.leave()
    },
    async close() {
      await system.close()
      await server.close()
    },
  }
}

export function helloOf(stream: OpenStream): HelloFrame {
  const [frame] = stream.frames()
  if (frame?.event !== 'hello') throw new Error(`no hello but ${stream.text()}`)
  return frame.data
}
