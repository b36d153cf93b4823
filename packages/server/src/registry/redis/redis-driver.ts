/** Where a server of a cluster is. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** What a connection tells. */
export interface ConnectionEvents {
  /** It is of no use any more, and was closed if need be. */
  lost(error: unknown): void
  message(channel: string, message: string): void
  /** The server ended a subscription by itself: in a cluster, because the slot moved. */
  unsubscribed(channel: string): void
}

/** One connection to one server. It never connects again by itself, and never sends again what it sent once. */
export interface RedisConnection {
  send(args: readonly string[]): Promise<unknown>
  /** Resolves when all are acknowledged. */
  subscribe(channels: readonly string[]): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  /** Leaves neither socket nor timer. Calls that wait are never answered. */
  close(): void
}

/** Opens one connection. It is closed once the signal aborts, whether it was open by then or not. */
export type Connect = (events: ConnectionEvents, signal: AbortSignal) => Promise<RedisConnection>

/** A client library, as far as it is used: to open connections like those of the application's client. */
export interface RedisDriver {
  /** What the application's client puts before each key. */
  readonly keyPrefix: string
  readonly database: number
  /** To the server; with Sentinel, to the one that is the master now. Of a cluster, to any of its servers. */
  readonly connect: Connect
  /** In a cluster, to one of its servers, by the address that the servers themselves tell. */
  readonly connectTo?: ((address: Address) => Connect) | undefined
  /** Ends what the driver holds besides its connections. */
  close(): void
  /** Calls back when another server became the master. */
  onMasterChange?(listener: () => void): void
}

/** How long a connection may take until it is usable. */
export const CONNECT_TIMEOUT_MS = 3000
