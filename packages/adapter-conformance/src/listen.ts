import { createServer as createHttp1Server, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { RunningApp } from './app.ts'

/** Listens on a free port, for frameworks that are a listener of Node's server. */
export async function listen(
  listener: (request: IncomingMessage, response: ServerResponse) => unknown,
  { http2 = false } = {},
): Promise<RunningApp> {
  // Node's own types keep the two apart; frameworks take either.
  const server = http2
    ? createHttp2Server(listener as never)
    : createHttp1Server((request, response) => void listener(request, response))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
      }),
  }
}
