import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A stream on a socket of its own, so that a test decides when it is read. */
export class RawStream {
  readonly #socket: Socket
  text = ''

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => undefined)
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.text += text
    })
  }

  /** Resolves with the first bytes of the answer. */
  static async open(port: number, message?: object): Promise<RawStream> {
    const socket = connect(port, '127.0.0.1')
    const stream = new RawStream(socket)
    const body = message === undefined ? '' : JSON.stringify(message)
    const headers = body && `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
    socket.write(
      `${body ? 'POST' : 'GET'} /api/invalidator HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${headers}\r\n${body}`,
    )
    await once(socket, 'data')
    return stream
  }

  /** What is read next takes the place of what was read before. */
  clear(): void {
    this.text = ''
  }

  /** Stops reading: the kernel's buffers fill, then the server's. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  close(): void {
    this.#socket.destroy()
  }
}
