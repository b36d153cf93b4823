import { request as requestOverHttp1, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:http2'
import { EventReader } from './event-reader.ts'

/** A request as a test sends it. */
export interface Ask {
  readonly method?: string
  /** Below the mount. */
  readonly path?: string
  /** Added to those of every request; `undefined` takes one away. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** Sent as JSON unless it is text. */
  readonly body?: unknown
  /** Leaves the body unfinished. */
  readonly unfinished?: boolean
}

/** A response whose head has arrived. */
export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: EventReader
  /** Cuts the connection, and waits until this end of it is gone. */
  leave(): Promise<void>
}

/** A request on its way. */
export interface Exchange {
  readonly reply: Promise<Reply>
  leave(): Promise<void>
}

/** Sends a request on a connection of its own. */
export type Send = (url: string, ask: Ask) => Exchange

const headersOf = ({ headers = {}, body }: Ask): Record<string, string> => {
  const all = {
    // As a browser: an answer may be compressed, and a stream must not wait for that.
    'accept-encoding': 'gzip, deflate, br',
    'x-user': 'ada',
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...headers,
  }
  return Object.fromEntries(Object.entries(all).filter((header): header is [string, string] => header[1] !== undefined))
}

const textOf = ({ body }: Ask): string | undefined =>
  body === undefined || typeof body === 'string' ? body : JSON.stringify(body)

export const sendOverHttp1: Send = (url, ask) => {
  const text = textOf(ask)
  const request = requestOverHttp1(url, { method: ask.method ?? 'GET', headers: headersOf(ask), agent: false })
  const closed = new Promise<void>((resolve) => {
    request.once('close', resolve)
  })
  const leave = (): Promise<void> => {
    request.destroy()
    return closed
  }
  const reply = new Promise<Reply>((resolve, reject) => {
    request.once('error', reject)
    request.once('response', (response) => {
      // A server that refuses a body may close before it has all of it.
      request.on('error', () => undefined)
      const { statusCode = 0, headers } = response
      resolve({ status: statusCode, headers, body: new EventReader(response), leave })
    })
  })
  // One who leaves before the response does not wait for it.
  reply.catch(() => undefined)
  if (text === undefined) request.end()
  else if (ask.unfinished) request.write(text)
  // With a length, as fetch sends it.
  else request.setHeader('content-length', Buffer.byteLength(text)).end(text)
  return { reply, leave }
}

/** Without TLS, which makes no difference to a framework. */
export const sendOverHttp2: Send = (url, ask) => {
  const { origin, pathname, search } = new URL(url)
  const session = connect(origin)
  session.on('error', () => undefined)
  const stream = session.request({ ...headersOf(ask), ':method': ask.method ?? 'GET', ':path': pathname + search })
  const closed = new Promise<void>((resolve) => {
    session.once('close', resolve)
  })
  const leave = (): Promise<void> => {
    session.destroy()
    return closed
  }
  const reply = new Promise<Reply>((resolve, reject) => {
    stream.once('error', reject)
    stream.once('response', ({ ':status': status = 0, ...headers }) => {
      stream.on('error', () => undefined)
      stream.once('close', () => {
        session.close()
      })
      resolve({ status, headers, body: new EventReader(stream), leave })
    })
  })
  reply.catch(() => undefined)
  const text = textOf(ask)
  if (ask.unfinished) stream.write(text)
  else stream.end(text)
  return { reply, leave }
}
