import {
  CONNECT_TIMEOUT_MS,
  type Address,
  type Connect,
  type RedisConnection,
  type RedisDriver,
} from './redis-driver.ts'

type Listener = (message: string, channel: string) => void

/** What is used of node-redis 5: a client of one server. */
export interface NodeRedisClient {
  readonly isOpen: boolean
  readonly options?: {
    readonly database?: number
    readonly socket?: object
    readonly url?: string
    readonly [option: string]: unknown
  }
  duplicate(options: object): NodeRedisClient
  connect(): Promise<unknown>
  sendCommand(args: readonly string[]): Promise<unknown>
  subscribe(channels: readonly string[], listener: Listener): Promise<unknown>
  unsubscribe(channel: string, listener: Listener): Promise<unknown>
  sSubscribe(channel: string, listener: Listener): Promise<unknown>
  sUnsubscribe(channel: string, listener: Listener): Promise<unknown>
  on(event: string, listener: (value: unknown) => void): unknown
  destroy(): void
}

export interface NodeRedisCluster {
  readonly _options?: {
    readonly nodeAddressMap?: Readonly<Record<string, Address>> | ((address: string) => Address | undefined)
  }
  readonly masters: readonly object[]
  readonly isOpen: boolean
  duplicate(options: object): NodeRedisCluster
  connect(): Promise<unknown>
  nodeClient(node: object): Promise<NodeRedisClient>
  on(event: string, listener: (value: unknown) => void): unknown
  destroy(): void
}

export interface NodeRedisSentinel {
  readonly isOpen: boolean
  /** Not called: only it has one. */
  getSentinelNode(): unknown
  connect(): Promise<unknown>
  /** Runs something with the client of the master. */
  _execute<T>(isReadonly: boolean, work: (client: NodeRedisClient) => Promise<T>): Promise<T>
  on(event: string, listener: (value: unknown) => void): unknown
  off(event: string, listener: (value: unknown) => void): unknown
  destroy(): void
}

const ignore = (): void => undefined

export function fromNodeRedis(client: NodeRedisClient): RedisDriver {
  return {
    keyPrefix: '',
    database: client.options?.database ?? 0,
    connect: connectLike(client, undefined),
    close: ignore,
  }
}

/** The servers of a cluster are connected to one by one, like the library's client connects to them. */
export function fromNodeRedisCluster(cluster: NodeRedisCluster): RedisDriver {
  let model: NodeRedisClient | undefined
  const { nodeAddressMap } = cluster['_options'] ?? {}
  const map = (address: Address): Address => {
    const name = `${address.host}:${address.port}`
    return (typeof nodeAddressMap === 'function' ? nodeAddressMap(name) : nodeAddressMap?.[name]) ?? address
  }
  return {
    keyPrefix: '',
    database: 0,
    connect: async (events, signal) => {
      // It finds its way in from the root nodes. What is kept of it is how it connects to one server.
      const guide = cluster.duplicate({ minimizeConnections: true, commandOptions: {} })
      guide.on('error', ignore)
      guide.on('node-error', ignore)
      try {
        await guide.connect()
        model = (await guide.nodeClient(guide.masters[0]!)).duplicate({})
      } finally {
        if (guide.isOpen) guide.destroy()
      }
      return connectLike(model, undefined, true)(events, signal)
    },
    connectTo: (address) => (events, signal) => {
      if (!model) return Promise.reject(new Error('The cluster was not found yet'))
      return connectLike(model, map(address), true)(events, signal)
    },
    close: ignore,
  }
}

/** A client for Sentinel can't be duplicated; so it tells where the master is, and the client that it has for it can be. */
export function fromNodeRedisSentinel(sentinel: NodeRedisSentinel): RedisDriver {
  let isOurs = false
  let finding: Promise<NodeRedisClient> | undefined
  let onChange: (() => void) | undefined
  const onTopology = (event: unknown): void => {
    if ((event as { type?: unknown } | undefined)?.type === 'MASTER_CHANGE') onChange?.()
  }
  const find = async (): Promise<NodeRedisClient> => {
    if (!sentinel.isOpen) {
      isOurs = true
      await sentinel.connect()
    }
    return sentinel['_execute'](false, async (client) => client.duplicate({}))
  }
  sentinel.on('topology-change', onTopology)
  // Without a listener its errors would end the process. They come back as those of calls.
  sentinel.on('error', ignore)
  return {
    keyPrefix: '',
    database: 0,
    connect: async (events, signal) => {
      // It may take until there is a master again, longer than one attempt of ours.
      finding ??= find().finally(() => {
        finding = undefined
      })
      const model = await finding
      return connectLike(model, undefined)(events, signal)
    },
    close: () => {
      sentinel.off('topology-change', onTopology)
      sentinel.off('error', ignore)
      if (isOurs && sentinel.isOpen) sentinel.destroy()
    },
    onMasterChange: (listener) => {
      onChange = listener
    },
  }
}

function connectLike(model: NodeRedisClient, address: Address | undefined, isSharded = false): Connect {
  return async (events, signal) => {
    signal.throwIfAborted()
    const { url, ...options } = model.options ?? {}
    const client = model.duplicate({
      // What the URL says is among the options already, and would overrule an address.
      url: address ? undefined : url,
      socket: {
        ...options.socket,
        ...(address && { port: address.port, ...(address.host && { host: address.host }) }),
        connectTimeout: CONNECT_TIMEOUT_MS,
        // A new client is opened instead: so nothing has to be trusted to be as before.
        reconnectStrategy: false,
      },
      disableOfflineQueue: true,
      readonly: false,
      commandOptions: {},
      RESP: 2,
      clientSideCache: undefined,
      emitInvalidate: false,
      maintNotifications: 'disabled',
      pingInterval: undefined,
    })
    const destroy = (): void => {
      if (client.isOpen) client.destroy()
    }
    let closed = false
    const connection: RedisConnection = {
      send: (args) => client.sendCommand(args),
      subscribe: (channels) =>
        isSharded
          ? Promise.all(channels.map((channel) => client.sSubscribe(channel, listener)))
          : client.subscribe(channels, listener),
      unsubscribe: (channel) =>
        isSharded ? client.sUnsubscribe(channel, listener) : client.unsubscribe(channel, listener),
      close: () => {
        closed = true
        destroy()
      },
    }
    const listener: Listener = (message, channel) => {
      events.message(channel, message)
    }
    const lose = (error: unknown): void => {
      if (closed) return
      connection.close()
      events.lost(error)
    }
    client.on('error', lose)
    client.on('end', lose)
    client.on('sharded-channel-moved', (channel) => {
      events.unsubscribed(String(channel))
    })
    let hasSocket = false
    client.on('connect', () => {
      hasSocket = true
      if (signal.aborted) connection.close()
    })
    signal.addEventListener('abort', () => {
      // Before it has its socket the library would forget it, open.
      if (hasSocket) connection.close()
    })
    await client.connect()
    return connection
  }
}
