import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** A message on its way to a subscriber, as it is on the wire. */
const MESSAGE = /^\*3\r\n\$7\r\nmessage\r\n/

/** Stands between a client and Redis: loses messages, ends subscriptions, leads to another server. */
export class RedisProxy {
  readonly #server: Server
  readonly #links = new Set<readonly [client: Socket, server: Socket]>()
  /** The server's ends of connections that were subscribed on. */
  readonly #subscribers = new Set<Socket>()
  #target: number
  #lost: string | undefined
  /** Replies to commands of ours, that the client must not see. */
  #hidden: string | undefined
  /** Nobody is let in any more. */
  isRefusing = false
  /** Messages that were lost here. */
  dropped = 0
  #sent = ''

  private constructor(server: Server, target: number) {
    this.#server = server
    this.#target = target
  }

  static async listen(target: number): Promise<RedisProxy> {
    const server = createServer({ noDelay: true })
    const proxy = new RedisProxy(server, target)
    server.on('connection', (client) => {
      proxy.#link(client)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return proxy
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** How often clients sent these as arguments, one after the other. */
  count(...words: readonly string[]): number {
    const encoded = words.map((word) => `$${word.length}\r\n${word}\r\n`)
    return this.#sent.split(encoded.join('')).length - 1
  }

  /** From now on messages that contain this text do not arrive; `undefined` ends that. */
  lose(text: string | undefined): void {
    this.#lost = text
  }

  /** Ends the subscriptions to a channel at the server. The client does not know. */
  unsubscribe(channel: string): void {
    this.#hidden = 'unsubscribe'
    for (const server of this.#subscribers) {
      server.write(`*2\r\n$11\r\nUNSUBSCRIBE\r\n$${channel.length}\r\n${channel}\r\n`)
    }
  }

  /** Leads new connections to another server; those that there are stay where they are. */
  turn(port: number): void {
    this.#target = port
  }

  /** Leads to another server, and ends all connections to the one before. */
  retarget(port: number): void {
    this.turn(port)
    this.cut()
  }

  /** Ends the connections that nobody subscribed on. */
  cutCallers(): void {
    for (const [, server] of this.#links) if (!this.#subscribers.has(server)) server.resetAndDestroy()
  }

  /** Ends the connections that were subscribed on. */
  cutSubscribers(): void {
    for (const server of this.#subscribers) server.resetAndDestroy()
  }

  cut(): void {
    for (const [client, server] of this.#links) {
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #link(client: Socket): void {
    client.on('error', () => undefined)
    if (this.isRefusing) return void client.resetAndDestroy()
    const server = connect({ port: this.#target, host: '127.0.0.1', noDelay: true })
    const link = [client, server] as const
    this.#links.add(link)
    client.on('data', (bytes) => {
      this.#sent += bytes.toString()
      if (/\r\nsubscribe\r\n/i.test(bytes.toString())) this.#subscribers.add(server)
      server.write(bytes)
    })
    // Redis writes each message by itself, and on loopback it comes as it was written.
    server.on('data', (bytes) => this.#isLost(server, bytes.toString()) || client.write(bytes))
    for (const [from, to] of [link, [server, client] as const]) {
      from.on('error', () => undefined)
      from.once('close', () => {
        this.#links.delete(link)
        this.#subscribers.delete(server)
        to.destroy()
      })
    }
  }

  #isLost(server: Socket, text: string): boolean {
    if (this.#hidden !== undefined && this.#subscribers.has(server) && text.includes(this.#hidden)) return true
    if (this.#lost === undefined || !MESSAGE.test(text) || !text.includes(this.#lost)) return false
    this.dropped++
    return true
  }
}
