import {
  CONNECT_TIMEOUT_MS,
  type Address,
  type Connect,
  type RedisConnection,
  type RedisDriver,
} from './redis-driver.ts'

/** What is used of iovalkey and ioredis: a client of one server, or of Sentinel. */
export interface IoRedisClient {
  readonly isCluster: boolean
  readonly options: { readonly db?: number; readonly keyPrefix?: string; readonly [option: string]: unknown }
  readonly stream?: { destroy(): unknown } | undefined
  duplicate(options: object): IoRedisClient
  connect(): Promise<unknown>
  call(command: string, ...args: string[]): Promise<unknown>
  subscribe(...channels: string[]): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  ssubscribe(channel: string): Promise<unknown>
  sunsubscribe(channel: string): Promise<unknown>
  on(event: string, listener: (...values: string[]) => void): unknown
  disconnect(): void
}

export interface IoRedisCluster {
  readonly isCluster: true
  readonly options: {
    readonly keyPrefix?: string
    readonly natMap?: Readonly<Record<string, Address>> | ((address: string) => Address | null) | null
  }
  duplicate(nodes: readonly unknown[], options: object): IoRedisCluster
  connect(): Promise<unknown>
  nodes(role: 'master'): readonly IoRedisClient[]
  on(event: string, listener: () => void): unknown
  disconnect(): void
}

export function fromIoRedis(client: IoRedisClient): RedisDriver {
  return {
    keyPrefix: client.options.keyPrefix ?? '',
    database: client.options.db ?? 0,
    connect: connectLike(client, undefined),
    close: () => undefined,
  }
}

/** The servers of a cluster are connected to one by one, like the library's client connects to them. */
export function fromIoRedisCluster(cluster: IoRedisCluster): RedisDriver {
  let model: IoRedisClient | undefined
  const { natMap, keyPrefix = '' } = cluster.options
  const map = (address: Address): Address => {
    const name = `${address.host}:${address.port}`
    return (typeof natMap === 'function' ? natMap(name) : natMap?.[name]) ?? address
  }
  return {
    keyPrefix,
    database: 0,
    connect: async (events, signal) => {
      // It finds its way in from the startup nodes. What is kept of it is how it connects to one server.
      const guide = cluster.duplicate([], {
        lazyConnect: true,
        clusterRetryStrategy: null,
        slotsRefreshInterval: 0,
        enableReadyCheck: false,
      })
      guide.on('error', () => undefined)
      try {
        await guide.connect()
        model = guide.nodes('master')[0]!.duplicate(passive)
      } finally {
        guide.disconnect()
      }
      return connectLike(model, undefined, true)(events, signal)
    },
    connectTo: (address) => (events, signal) => {
      if (!model) return Promise.reject(new Error('The cluster was not found yet'))
      return connectLike(model, map(address), true)(events, signal)
    },
    close: () => undefined,
  }
}

/** Does nothing by itself. */
const passive = {
  lazyConnect: true,
  retryStrategy: null,
  sentinelRetryStrategy: null,
  reconnectOnError: null,
  enableOfflineQueue: false,
  enableReadyCheck: false,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  enableAutoPipelining: false,
  maxRetriesPerRequest: null,
  commandTimeout: undefined,
  socketTimeout: undefined,
  readOnly: false,
  keyPrefix: '',
  connectTimeout: CONNECT_TIMEOUT_MS,
}

function connectLike(model: IoRedisClient, address: Address | undefined, isSharded = false): Connect {
  return async (events, signal) => {
    const client = model.duplicate({
      ...passive,
      ...(address && { port: address.port, ...(address.host && { host: address.host }) }),
    })
    let closed = false
    const connection: RedisConnection = {
      send: ([command = '', ...args]) => client.call(command, ...args),
      subscribe: (channels) =>
        isSharded ? Promise.all(channels.map((channel) => client.ssubscribe(channel))) : client.subscribe(...channels),
      unsubscribe: (channel) => (isSharded ? client.sunsubscribe(channel) : client.unsubscribe(channel)),
      close: () => {
        closed = true
        client.disconnect()
        // Or it would wait for the other side to end it.
        client.stream?.destroy()
      },
    }
    let lastError: unknown
    const lose = (error: unknown): void => {
      if (closed) return
      connection.close()
      events.lost(error)
    }
    // An error of the connection is followed by its end; an answer that belongs to no command is not.
    client.on('error', (error) => {
      lastError = error
      lose(error)
    })
    client.on('end', () => {
      lose(lastError ?? new Error('The connection was closed'))
    })
    client.on(isSharded ? 'smessage' : 'message', (channel = '', message = '') => {
      events.message(channel, message)
    })
    signal.addEventListener('abort', () => {
      connection.close()
    })
    await client.connect()
    return connection
  }
}
