import type { Clock } from '../../clock.ts'
import { describe, Lane, unavailable } from './lane.ts'
import type { Address, RedisDriver } from './redis-driver.ts'
import type { LinkEvents, RedisLink } from './redis-link.ts'
import { runScript } from './run-script.ts'
import { slotOf } from './slot.ts'
import { SubscriberLane } from './subscriber-lane.ts'

/** How often one call is sent, when the cluster says that it is elsewhere, or not now. */
const MAX_ATTEMPTS = 6
const RETRY_MS = 200
/** The slots are looked up this often, at most. */
const REFRESH_MS = 500

/** A server of the cluster. */
interface Node {
  readonly commands: Lane
  readonly subscriber: SubscriberLane
}

/**
 * A Redis Cluster. Each of its masters has a connection for calls and one for subscriptions, opened when it is needed; subscriptions are sharded,
 * and follow their slot when it moves.
 */
export class ClusterLink implements RedisLink {
  readonly publish = 'SPUBLISH'
  readonly #driver: RedisDriver
  readonly #clock: Clock
  readonly #events: LinkEvents
  /** Tells which server has which slots. */
  readonly #guide: Lane
  readonly #nodes = new Map<string, Node>()
  /** Address of the server that has each slot. */
  #owners: (string | undefined)[] = []
  #refreshing: Promise<void> | undefined
  #refreshedAt = -Infinity
  #cancelRefresh: (() => void) | undefined
  readonly #waits = new Set<() => void>()
  #closed = false

  constructor(driver: RedisDriver, clock: Clock, events: LinkEvents) {
    this.#driver = driver
    this.#clock = clock
    this.#events = events
    this.#guide = new Lane(driver.connect, clock, {
      onOpen: () => {
        this.#refreshSoon()
      },
      onLost: ignore,
      onMessage: ignore,
      onUnsubscribed: ignore,
    })
  }

  get inFlight(): number {
    let count = this.#guide.inFlight + this.#waits.size
    for (const { commands, subscriber } of this.#nodes.values()) count += commands.inFlight + subscriber.inFlight
    return count
  }

  /** Keys of two scopes are hardly ever in one slot. */
  toBatches(keys: readonly string[]): readonly (readonly string[])[] {
    return keys.map((key) => [key])
  }

  run(keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.#follow(keys[0]!, ({ commands }, isAsking) => runScript(commands, keys, args, isAsking))
  }

  subscribe(channel: string): Promise<void> {
    return this.#follow(channel, ({ subscriber }) => subscriber.subscribe(channel))
  }

  async unsubscribe(channel: string): Promise<void> {
    await Promise.all([...this.#nodes.values()].map(({ subscriber }) => subscriber.unsubscribe(channel)))
  }

  async resubscribe(channel: string): Promise<void> {
    const ended = this.unsubscribe(channel)
    await Promise.all([ended, this.subscribe(channel)])
  }

  close(): void {
    this.#closed = true
    this.#cancelRefresh?.()
    this.#guide.close()
    for (const { commands, subscriber } of this.#nodes.values()) {
      commands.close()
      subscriber.close()
    }
    for (const wake of this.#waits) wake()
    this.#driver.close()
  }

  /** Sends to the server that has the slot of a key, and goes where the cluster says otherwise. Nothing that may have been done is done again. */
  async #follow<T>(key: string, send: (node: Node, isAsking: boolean) => Promise<T>): Promise<T> {
    const slot = slotOf(key)
    let asked: string | undefined
    for (let attempt = 1; ; attempt++) {
      const address = asked ?? (await this.#owner(slot))
      const node = this.#node(address)
      try {
        return await send(node, asked !== undefined)
      } catch (error) {
        asked = undefined
        const [, where, to] = /^(MOVED|ASK) \d+ (\S+)/.exec(describe(error)) ?? []
        const isTransient = /^(TRYAGAIN|CLUSTERDOWN)\b/.test(describe(error))
        if (!where && !isTransient && !node.commands.isOpen) this.#refreshSoon()
        if ((!where && !isTransient) || attempt >= MAX_ATTEMPTS || this.#closed) throw error
        if (where === 'ASK') asked = to
        if (where === 'MOVED') {
          this.#owners[slot] = to
          this.#refreshSoon()
        }
        if (isTransient) await this.#wait(RETRY_MS)
      }
    }
  }

  async #owner(slot: number): Promise<string> {
    if (this.#owners[slot] === undefined) await this.#refresh()
    const owner = this.#owners[slot]
    if (owner === undefined) throw unavailable(`No server of the cluster has slot ${slot}`)
    return owner
  }

  #node(address: string): Node {
    const found = this.#nodes.get(address)
    if (found) return found
    if (this.#closed) throw unavailable('The registry is closed')
    const connect = this.#driver.connectTo!(parseAddress(address))
    const node: Node = {
      commands: new Lane(connect, this.#clock, {
        onOpen: this.#events.onReconnected,
        onLost: () => {
          this.#refreshSoon()
        },
        onMessage: ignore,
        onUnsubscribed: ignore,
      }),
      subscriber: new SubscriberLane(connect, this.#clock, {
        onMessage: this.#events.onMessage,
        onResubscribed: this.#events.onResubscribed,
        onMoved: (channel) => void this.#move(channel),
        onLost: () => {
          this.#refreshSoon()
        },
        report: this.#events.report,
      }),
    }
    this.#nodes.set(address, node)
    return node
  }

  /** A channel that its server does not have any more. */
  async #move(channel: string): Promise<void> {
    try {
      await this.subscribe(channel)
      this.#events.onResubscribed([channel])
    } catch {
      // The cluster is not what it was yet. Once the slots are known again, the channel goes where its slot is.
      const owner = this.#owners[slotOf(channel)]
      if (owner !== undefined && !this.#closed) this.#node(owner).subscriber.adopt([channel])
    }
  }

  #refreshSoon(): void {
    if (this.#closed || this.#cancelRefresh) return
    const wait = Math.max(0, this.#refreshedAt + REFRESH_MS - this.#clock.now())
    this.#cancelRefresh = this.#clock.after(wait, () => {
      this.#cancelRefresh = undefined
      // Without an answer the next failing call asks for it again.
      this.#refresh().catch(ignore)
    })
  }

  #refresh(): Promise<void> {
    this.#refreshing ??= this.#readSlots().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async #readSlots(): Promise<void> {
    this.#refreshedAt = this.#clock.now()
    const answer = await this.#guide.call((connection) => connection.send(['CLUSTER', 'SLOTS']))
    if (!Array.isArray(answer)) throw unavailable('The cluster did not tell its slots')
    const owners: (string | undefined)[] = []
    for (const [from, to, [host, port]] of answer as SlotRange[]) {
      for (let slot = Number(from); slot <= Number(to); slot++) owners[slot] = `${host ?? ''}:${String(port)}`
    }
    this.#owners = owners
    this.#rearrange()
  }

  /** Moves subscriptions to where their slots are now, and lets go of servers that have none. */
  #rearrange(): void {
    const inUse = new Set(this.#owners)
    for (const [address, { commands, subscriber }] of this.#nodes) {
      for (const channel of subscriber.channels) {
        const owner = this.#owners[slotOf(channel)]
        if (owner === undefined || owner === address) continue
        void subscriber.unsubscribe(channel).catch(ignore)
        this.#node(owner).subscriber.adopt([channel])
      }
      if (inUse.has(address) || subscriber.channels.size > 0) continue
      this.#nodes.delete(address)
      commands.close()
      subscriber.close()
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel()
        this.#waits.delete(wake)
        resolve()
      }
      const cancel = this.#clock.after(ms, wake)
      this.#waits.add(wake)
    })
  }
}

type SlotRange = readonly [from: unknown, to: unknown, master: readonly [host: string | null, port: unknown]]

function ignore(): void {}

/** Without a host it is the one that was asked. */
function parseAddress(address: string): Address {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
}
