import type { StreamRequest, WatchRequest } from '@query-tags/core'
import { createTagInvalidationSystem, type SystemOptions, type TagInvalidationSystem } from '@query-tags/server'
import { vi } from 'vitest'
import { BASE, NESTED_BASE, PAGE_ORIGIN, type AppSetup, type Caller, type RunningApp, type StartApp } from './app.ts'
import { sendOverHttp1, sendOverHttp2, type Ask, type Exchange, type Reply } from './client/exchange.ts'

export type WorldOptions = SystemOptions<Caller> & Partial<Omit<AppSetup, 'system' | 'onError'>>

/** One system in one running app, and a way to ask it. */
export interface World {
  readonly system: TagInvalidationSystem<Caller>
  readonly app: RunningApp
  /** What the system reported. */
  readonly reports: { readonly error: unknown; readonly phase: string }[]
  /** What the framework's global error hook got. */
  readonly appErrors: unknown[]
  send(ask: Ask): Exchange
  ask(ask: Ask): Promise<Reply>
  /** Opens a stream as our clients do, watching `['a']` unless the message says otherwise. */
  connect(message?: Partial<StreamRequest>, headers?: Ask['headers']): Promise<Reply>
  watch(message: Pick<WatchRequest, 'connection' | 'from'> & Partial<WatchRequest>): Promise<Reply>
  /** Waits until nothing of any connection is left. */
  empty(): Promise<void>
  /** Ends it all. */
  close(): Promise<void>
}

/** Ada and Bob are users; nobody else is. */
const resolveScope: NonNullable<SystemOptions<Caller>['resolveScope']> = ({ user }) =>
  user === 'ada' || user === 'bob' ? { kind: 'user', id: user } : null

/** Starts an app for one test. */
export async function startWorld(start: StartApp, options: WorldOptions = {}): Promise<World> {
  const { nested = false, parsesBodies = false, cors = false, http2 = false, context, ...rest } = options
  const reports: World['reports'] = []
  const appErrors: unknown[] = []
  const system = createTagInvalidationSystem<Caller>({
    resolveScope,
    allowedOrigins: [PAGE_ORIGIN],
    // No heartbeat comes to the help of bytes that are held back.
    heartbeatMs: 25_000,
    onError: (error, { phase }) => void reports.push({ error, phase }),
    ...rest,
  })
  const app = await start({
    system,
    context: context ?? ((user) => ({ user })),
    nested,
    parsesBodies,
    cors,
    http2,
    onError: (error) => void appErrors.push(error),
  })

  const base = `http://127.0.0.1:${app.port}${nested ? NESTED_BASE : BASE}`
  const sendRequest = http2 ? sendOverHttp2 : sendOverHttp1
  const send: World['send'] = (ask) => sendRequest(base + (ask.path ?? ''), ask)
  const post = (path: string, body: unknown, headers: Ask['headers'] = {}): Promise<Reply> =>
    send({ method: 'POST', path, body, headers }).reply
  return {
    system,
    app,
    reports,
    appErrors,
    send,
    ask: (ask) => send(ask).reply,
    connect: (message, headers) => post('', { v: 1, ageMs: 0, watcher: 'w', watch: [['a']], ...message }, headers),
    watch: (message) => post('/watch', { watcher: 'w', n: 1, add: [], remove: [], ...message }),
    empty: () =>
      vi.waitFor(
        () => {
          const { connections, endingConnections, scopes, watchedTags, timers } = system.stats()
          const left = { connections, endingConnections, scopes, watchedTags, timers }
          const isEmpty = Object.values(left).every((count) => count === 0)
          if (!isEmpty) throw new Error(`There is something left: ${JSON.stringify(left)}`)
        },
        { timeout: 2000, interval: 5 },
      ),
    async close() {
      await system.close({ deadlineMs: 200 })
      await app.close()
    },
  }
}
