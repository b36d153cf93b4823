import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** What happens to bytes on their way from the server to the client. */
export type Passage =
  | { readonly kind: 'pass' }
  /** One byte at a time, each in a packet of its own. */
  | { readonly kind: 'drip' }
  /** Later, all of them. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Kept until there are this many, as a proxy does that knows nothing of streams. */
  | { readonly kind: 'buffer'; readonly bytes: number }

const PASS: Passage = { kind: 'pass' }

/** Stands between a client and a server, on TCP, and breaks things on demand. */
export class TcpProxy {
  readonly #server: Server
  readonly #links = new Set<Link>()
  /** For connections from now on. */
  passage: Passage = PASS
  /** Connections from now on are reset at once. */
  isRefusing = false
  /** How many connections were made, those that were refused included. */
  accepted = 0
  /** The next bytes from the server that contain this text are cut off after it, together with their connection. */
  #cutAfter: { readonly text: string; readonly done: () => void } | undefined

  private constructor(server: Server) {
    this.#server = server
  }

  static async listen(targetPort: number): Promise<TcpProxy> {
    const server = createServer({ noDelay: true, allowHalfOpen: true })
    const proxy = new TcpProxy(server)
    server.on('connection', (client) => proxy.#link(client, targetPort))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get connections(): number {
    return this.#links.size
  }

  /** Resets every connection. */
  cut(): void {
    for (const link of this.#links) link.cut()
  }

  /** Nothing passes any more on the connections that there are, in either direction, and nobody is told. New ones are fine. */
  blackhole(): void {
    for (const link of this.#links) link.blackhole()
  }

  /** Cuts a connection right after these characters of the server's have passed. Resolves then. */
  cutAfter(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#cutAfter = { text, done: resolve }
    })
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #link(client: Socket, targetPort: number): void {
    this.accepted++
    client.on('error', () => undefined)
    if (this.isRefusing) return void client.resetAndDestroy()
    const link = new Link(
      client,
      connect({ port: targetPort, host: '127.0.0.1', noDelay: true }),
      this.passage,
      (bytes) => this.#findCut(bytes),
    )
    this.#links.add(link)
    client.once('close', () => this.#links.delete(link))
  }

  /** How many of these bytes may pass before the cut; `undefined` when there is none. */
  #findCut(bytes: Buffer): number | undefined {
    const cut = this.#cutAfter
    const at = cut ? bytes.indexOf(cut.text) : -1
    if (!cut || at < 0) return undefined
    this.#cutAfter = undefined
    cut.done()
    return at + Buffer.byteLength(cut.text)
  }
}

/** One connection through the proxy. */
class Link {
  readonly #client: Socket
  readonly #server: Socket
  readonly #passage: Passage
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #drops: number[] = []
  #held = Buffer.alloc(0)
  #isDark = false

  constructor(client: Socket, server: Socket, passage: Passage, findCut: (bytes: Buffer) => number | undefined) {
    this.#client = client
    this.#server = server
    this.#passage = passage
    client.on('data', (bytes) => this.#isDark || server.write(bytes))
    server.on('data', (bytes) => {
      const length = findCut(bytes)
      if (length === undefined) return this.#pass(bytes)
      // What was written before a reset may be lost with it, so the client's side is ended in order.
      client.end(bytes.subarray(0, length))
      server.resetAndDestroy()
    })
    client.on('end', () => this.#isDark || server.end())
    server.on('end', () => this.#isDark || client.end())
    client.once('close', () => this.#isDark || server.destroy())
    server.once('close', () => this.#isDark || client.destroy())
    server.on('error', () => undefined)
  }

  cut(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#client.resetAndDestroy()
    this.#server.resetAndDestroy()
  }

  blackhole(): void {
    this.#isDark = true
    this.#client.pause()
    this.#server.pause()
  }

  #pass(bytes: Buffer): void {
    if (this.#isDark) return
    const { kind } = this.#passage
    if (kind === 'pass') this.#client.write(bytes)
    else if (kind === 'drip') this.#drip([...bytes])
    else if (kind === 'delay') this.#later(this.#passage.ms, bytes)
    else this.#hold(bytes, this.#passage.bytes)
  }

  #drip(bytes: readonly number[]): void {
    const isDripping = this.#drops.length > 0
    for (const byte of bytes) this.#drops.push(byte)
    if (!isDripping) this.#drop()
  }

  /** Each in a turn of its own, or the kernel would send them together. */
  #drop(): void {
    const byte = this.#drops.shift()
    if (byte === undefined || this.#isDark) return
    this.#client.write(Uint8Array.of(byte))
    setImmediate(() => this.#drop())
  }

  #later(ms: number, bytes: Buffer): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      if (!this.#isDark) this.#client.write(bytes)
    }, ms)
    this.#timers.add(timer)
  }

  #hold(bytes: Buffer, size: number): void {
    this.#held = Buffer.concat([this.#held, bytes])
    if (this.#held.length < size) return
    this.#client.write(this.#held)
    this.#held = Buffer.alloc(0)
  }
}
