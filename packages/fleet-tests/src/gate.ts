import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { isMessage, nameOf, RespSplitter } from './resp.ts'

/** A door on TCP before a server that moves, dies and comes back: it can be cut, go dark, and, before a Redis, lose messages. */
export class Gate implements RedisTraffic {
  readonly #server: Server
  readonly #links = new Set<Link>()
  readonly #isBeforeRedis: boolean
  /** Port of the server that new connections go to. */
  target: number
  /** Messages of channels that are still to be lost. */
  messagesToLose = 0
  /** Commands that passed to the Redis, counted by name; a script's by its first argument. */
  readonly commands: Map<string, number> = new Map()

  private constructor(server: Server, target: number, isBeforeRedis: boolean) {
    this.#server = server
    this.target = target
    this.#isBeforeRedis = isBeforeRedis
  }

  static async open(target: number, { isBeforeRedis = false } = {}): Promise<Gate> {
    const server = createServer({ noDelay: true })
    const gate = new Gate(server, target, isBeforeRedis)
    server.on('connection', (client) => {
      gate.#link(client)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return gate
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get connections(): number {
    return this.#links.size
  }

  /** Resets every connection. */
  cut(): void {
    for (const link of this.#links) link.cut()
  }

  /** Nothing passes any more on the connections that there are, and nobody is told. New ones are fine. */
  darken(): void {
    for (const link of this.#links) link.isDark = true
  }

  /** Resets the connections that went dark. */
  cutDark(): void {
    for (const link of this.#links) if (link.isDark) link.cut()
  }

  /** Leads everybody to another server. */
  moveTo(port: number): void {
    this.target = port
    this.cut()
  }

  async close(): Promise<void> {
    this.#server.close()
    this.cut()
    await once(this.#server, 'close')
  }

  #link(client: Socket): void {
    const server = connect({ port: this.target, host: '127.0.0.1', noDelay: true })
    const link = new Link(client, server, this.#isBeforeRedis ? this : undefined)
    this.#links.add(link)
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.once('close', () => other.closed && this.#links.delete(link))
    }
  }

  onCommand(command: Buffer): void {
    const name = nameOf(command)
    this.commands.set(name, (this.commands.get(name) ?? 0) + 1)
  }

  /** Whether a reply may pass. */
  isKept(reply: Buffer): boolean {
    if (this.messagesToLose === 0 || !isMessage(reply)) return true
    this.messagesToLose--
    return false
  }
}

interface RedisTraffic {
  onCommand(command: Buffer): void
  isKept(reply: Buffer): boolean
}

/** One connection through the gate. */
class Link {
  readonly #client: Socket
  readonly #server: Socket
  isDark = false

  /** @param redis whose commands and replies these are; left out where anything else is spoken. */
  constructor(client: Socket, server: Socket, redis: RedisTraffic | undefined) {
    this.#client = client
    this.#server = server
    const isDark = (): boolean => this.isDark
    const [commands, replies] = [new RespSplitter(), new RespSplitter()]
    pass(client, server, isDark, (bytes) => {
      if (redis) for (const command of commands.push(bytes)) redis.onCommand(command)
      return [bytes]
    })
    pass(server, client, isDark, (bytes) =>
      redis ? replies.push(bytes).filter((reply) => redis.isKept(reply)) : [bytes],
    )
  }

  cut(): void {
    this.#client.resetAndDestroy()
    this.#server.resetAndDestroy()
  }
}

function pass(from: Socket, to: Socket, isDark: () => boolean, filter: (bytes: Buffer) => readonly Buffer[]): void {
  from.on('data', (bytes) => {
    if (isDark()) return
    for (const part of filter(bytes)) if (!to.write(part)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.on('end', () => isDark() || to.end())
  from.on('close', (isBroken) => {
    if (isBroken && !isDark()) to.resetAndDestroy()
  })
  // 'close' follows.
  from.on('error', () => undefined)
}
