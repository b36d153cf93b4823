import type { IncomingMessage } from 'node:http'
import { BodyTooLarge, type HandlerRequest } from '../http/request.ts'

export interface NodeRequestOptions {
  /** The path below where the handler is mounted, without the query. */
  readonly path: string
  /** What the framework has parsed the body to, if it has read it. */
  readonly body?: unknown
}

/** Reads a Node request. */
export function fromNode(request: IncomingMessage, { path, body }: NodeRequestOptions): HandlerRequest {
  return {
    method: request.method ?? 'GET',
    path,
    host: singleHeader(request, ':authority'),
    header: (name) => singleHeader(request, name),
    // A stream that has ended can't be read again.
    readBody: (maxBytes, signal) =>
      request.readableEnded ? Promise.resolve(body) : readText(request, maxBytes, signal),
  }
}

function singleHeader(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

function readText(request: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const settle = (done: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose)
      signal.removeEventListener('abort', onClose)
      done()
    }
    const onData = (chunk: Buffer | string): void => {
      const buffer = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      bytes += buffer.length
      if (bytes <= maxBytes) {
        chunks.push(buffer)
        return
      }
      // What still comes is dropped by Node after the answer.
      request.pause()
      settle(() => {
        reject(new BodyTooLarge())
      })
    }
    const onEnd = (): void => {
      settle(() => {
        resolve(Buffer.concat(chunks).toString())
      })
    }
    const onError = (error: Error): void => {
      settle(() => {
        reject(error)
      })
    }
    const onClose = (): void => {
      settle(() => {
        reject(new Error('The request was over before its body was'))
      })
    }
    request.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose)
    signal.addEventListener('abort', onClose, { once: true })
    if (request.destroyed) onClose()
  })
}
