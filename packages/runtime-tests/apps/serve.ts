import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RunningApp } from './app.ts'

type Fetch = (request: Request) => Response | Promise<Response>

/** What is used of Bun and Deno; their own types would be global, and clash. */
interface Runtimes {
  readonly Bun?: {
    serve(options: { fetch: Fetch; port: number; hostname: string }): {
      port: number
      stop(force: boolean): Promise<void>
    }
  }
  readonly Deno?: {
    serve(
      options: { port: number; hostname: string; onListen: () => void },
      fetch: Fetch,
    ): { addr: { port: number }; shutdown(): Promise<void> }
  }
}

export const { Bun, Deno } = globalThis as Runtimes

/** The runtime's own server of web requests; `undefined` on Node, which has none. */
export function serveFetch(fetch: Fetch): RunningApp | undefined {
  if (Bun) {
    const server = Bun.serve({ fetch, port: 0, hostname: '127.0.0.1' })
    return { port: server.port, close: () => server.stop(false) }
  }
  if (Deno) {
    const server = Deno.serve({ port: 0, hostname: '127.0.0.1', onListen: () => undefined }, fetch)
    return { port: server.addr.port, close: () => server.shutdown() }
  }
  return undefined
}

/** Node's server, which every runtime has. */
export async function serveNode(
  listener: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<RunningApp> {
  const server = createServer((request, response) => void listener(request, response))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return { port: (server.address() as AddressInfo).port, close: () => closeNode(server) }
}

export function closeNode(server: Server): Promise<unknown> {
  return new Promise((resolve) => {
    server.close(resolve)
    // Node does it by itself from 19 on.
    server.closeIdleConnections()
  })
}
