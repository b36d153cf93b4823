/** One server process of the fleet: `node server-process.ts <ServerConfig as JSON>`. Tells its port over IPC. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isQueryTagsError, type Scope, type TagInput } from '@query-tags/core'
import { createTagInvalidationSystem } from '@query-tags/server'
import { fromNode, send } from '@query-tags/server/node'
import { openStore, type StoreConfig } from './store.ts'

export interface ServerConfig {
  readonly store: StoreConfig
  readonly heartbeatMs: number
}

/** What `GET /stats` answers. */
export interface ServerReport {
  readonly connections: number
  readonly resets: Readonly<Record<string, number>>
  /** When streams were accepted, in milliseconds of the wall clock. */
  readonly acceptedAt: readonly number[]
  /** Watch requests that were answered, by status. */
  readonly watches: Readonly<Record<string, number>>
}

const BASE = '/api/invalidator'

const config = JSON.parse(process.argv[2]!) as ServerConfig
const acceptedAt: number[] = []
const watches: Record<number, number> = {}
const system = createTagInvalidationSystem({
  store: openStore(config.store),
  heartbeatMs: config.heartbeatMs,
  // Everybody comes from one address and looks the same; what a connection may do is not what is tried here.
  limits: { maxControlCallsPerSecond: 1000, maxConnectionsPerScope: 10_000, maxAuthorizations: 10_000 },
  resolveScope: (rooms: readonly string[]): Scope[] => rooms.map((id) => ({ kind: 'room', id })),
  onError: () => undefined,
})

const http = createServer((request, response) => {
  const { pathname } = new URL(request.url!, 'http://localhost')
  if (pathname.startsWith(BASE)) {
    const path = pathname.slice(BASE.length)
    void system
      .respond(fromNode(request, { path }), () => roomsOf(request))
      .then((outcome) => {
        if (outcome.kind === 'stream') acceptedAt.push(Date.now())
        else if (path === '/watch') watches[outcome.status] = (watches[outcome.status] ?? 0) + 1
        send(outcome, response)
      })
    return
  }
  if (pathname === '/metrics') return void response.end(system.metrics())
  answer(request, pathname).then(
    ([status, body]) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    (error: unknown) => response.writeHead(500).end(String(error)),
  )
})
http.keepAliveTimeout = 60_000
http.listen(0, '127.0.0.1', () => process.send?.({ port: (http.address() as AddressInfo).port }))

async function answer(request: IncomingMessage, path: string): Promise<[status: number, body: unknown]> {
  if (path === '/stats') return [200, report()]
  const body = JSON.parse(await textOf(request)) as unknown
  if (path === '/invalidate') return invalidate(body as { tags: TagInput[]; scope?: Scope })
  if (path === '/close') {
    await system.close(body as { drainMs: number; deadlineMs: number })
    return [200, report()]
  }
  return [404, {}]
}

async function invalidate(message: { tags: TagInput[]; scope?: Scope }): Promise<[status: number, body: unknown]> {
  try {
    return [200, await system.invalidateTags(message)]
  } catch (error) {
    if (!isQueryTagsError(error)) throw error
    return [error.code === 'registry-unavailable' || error.code === 'closed' ? 503 : 400, { code: error.code }]
  }
}

function report(): ServerReport {
  const { connections, resets } = system.stats()
  return { connections, resets, acceptedAt, watches }
}

function roomsOf({ headers }: IncomingMessage): readonly string[] {
  const rooms = headers['x-rooms']
  return typeof rooms === 'string' && rooms !== '' ? rooms.split(',') : []
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
