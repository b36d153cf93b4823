import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request that arrived, read to its end. */
export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
  readonly response: ServerResponse
  /** Settles when the client has gone. */
  readonly gone: Promise<void>
}

export interface RawServer extends AsyncDisposable {
  readonly url: string
  readonly received: readonly Received[]
}

/** A server on a free port that says what the test says, byte by byte. */
export async function startRawServer(answer: (request: Received) => void | Promise<void>): Promise<RawServer> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const gone = new Promise<void>((resolve) => response.on('close', resolve))
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString() || 'null')
      const one = { method: request.method!, url: request.url!, headers: request.headers, body, response, gone }
      received.push(one)
      void answer(one)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export function startStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.flushHeaders()
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** Writes bytes one at a time, each long enough after the other to arrive alone. */
export async function drip(response: ServerResponse, text: string): Promise<void> {
  for (const byte of new TextEncoder().encode(text)) {
    response.write(Uint8Array.of(byte))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
