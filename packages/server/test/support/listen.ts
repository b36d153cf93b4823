import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TagInvalidationSystem } from '../../src/tag-invalidation-system.ts'
import { fromNode } from '../../src/node/from-node.ts'
import { send } from '../../src/node/send.ts'

export interface Listening {
  readonly port: number
  readonly url: string
  readonly server: Server
  close(): Promise<void>
}

/** A real server on a free port. */
export async function listen(listener: RequestListener): Promise<Listening> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    server,
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** The smallest Node server around a system: what every Node adapter amounts to. */
export function listenTo(system: TagInvalidationSystem): Promise<Listening> {
  return listen((request, response) => {
    const path = new URL(request.url!, 'http://localhost').pathname
    void system
      .respond(fromNode(request, { path }), () => undefined)
      .then((outcome) => {
        send(outcome, response)
      })
  })
}
