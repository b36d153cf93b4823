import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTagInvalidationSystem, type TagInvalidationSystem } from '@query-tags/server'
import { fromNode, send } from '@query-tags/server/node'

export interface RunningServer {
  readonly system: TagInvalidationSystem
  readonly port: number
  close(): Promise<void>
}

/** A system behind a real port, without a framework. */
export async function startServer(): Promise<RunningServer> {
  const system = createTagInvalidationSystem({ limits: { maxConnections: 1_000_000 } })
  const server = createServer((request, response) => {
    void system
      .respond(fromNode(request, { path: request.url! }), () => undefined)
      .then((outcome) => {
        send(outcome, response)
      })
  })
  server.listen(0, '127.0.0.1', 4096)
  await once(server, 'listening')
  return {
    system,
    port: (server.address() as AddressInfo).port,
    async close() {
      await system.close()
      server.close()
    },
  }
}
