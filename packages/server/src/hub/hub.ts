import { PROTOCOL_VERSION, type HelloFrame, type PlainTag, type Position } from '@query-tags/core'
import { randomId, type Clock } from '../clock.ts'
import type { Limits } from '../limits.ts'
import type { TagRegistry } from '../registry/tag-registry.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Reporter } from '../reporter.ts'
import { Channel } from './channel.ts'
import { Connection, type ConnectionHost, type ConnectionRequest } from './connection.ts'
import { Disconnects } from './disconnects.ts'
import { HeartbeatFrames, HeartbeatWheel, type IsDue } from './heartbeat.ts'

/** Clients come back at about a thousand a second. */
const RETRY_MS_PER_CONNECTION = 1
const MIN_RETRY_MS = 500
const MAX_RETRY_MS = 20_000

export interface HubOptions {
  readonly registry: TagRegistry
  readonly clock: Clock
  readonly reporter: Reporter
  readonly metrics: Metrics
  readonly limits: Limits
  readonly heartbeatMs: number
  /** Whether the system has a `resolveScope`. */
  readonly scoped: boolean
}

/** Who is connected. */
export class Hub implements ConnectionHost {
  readonly clock: Clock
  readonly maxBacklogBytes: number
  readonly writeStallMs: number
  readonly metrics: Metrics
  readonly disconnects: Disconnects
  readonly #options: HubOptions
  readonly #channels = new Map<string, { readonly channel: Channel; users: number }>()
  readonly #connections = new Map<string, Connection>()
  readonly #perScope = new Map<string, number>()
  /** Streams that are being ended. */
  readonly #ending = new Set<Connection>()
  readonly #wheel: HeartbeatWheel
  #onEnded: (() => void) | undefined

  constructor(options: HubOptions) {
    this.#options = options
    this.clock = options.clock
    this.metrics = options.metrics
    this.maxBacklogBytes = options.limits.maxBacklogBytes
    this.writeStallMs = options.limits.writeStallMs
    this.disconnects = new Disconnects({
      ...options,
      end: (scope) => {
        this.#endStreams(scope)
      },
    })
    this.#wheel = new HeartbeatWheel(this, options.heartbeatMs)
  }

  get connections(): ReadonlyMap<string, Connection> {
    return this.#connections
  }

  get endingCount(): number {
    return this.#ending.size
  }

  get channels(): readonly Channel[] {
    return [...this.#channels.values()].map(({ channel }) => channel)
  }

  /**
   * Takes a connection in, with its place counted, before its stream is opened.
   *
   * @param scopes identities; the first is the global scope, the second, if any, is limited in its number.
   * @returns the code of the refusal when there is no place.
   */
  admit(scopes: readonly string[], request: ConnectionRequest): Connection | 'unavailable' | 'too-many-requests' {
    const { limits, clock } = this.#options
    const first = scopes[1]
    if (this.#connections.size >= limits.maxConnections) return 'unavailable'
    if (first !== undefined && (this.#perScope.get(first) ?? 0) >= limits.maxConnectionsPerScope)
      return 'too-many-requests'
    const channels = scopes.map((scope) => this.#use(scope))
    const connection = new Connection(randomId(clock, 128), channels, request, this)
    this.#connections.set(connection.id, connection)
    if (first !== undefined) this.#perScope.set(first, (this.#perScope.get(first) ?? 0) + 1)
    this.#wheel.add(connection)
    return connection
  }

  /** A connection with exactly these scopes. One with others is as unknown as one that does not exist. */
  find(id: string, scopes: readonly string[]): Connection | undefined {
    const connection = this.#connections.get(id)
    if (!connection) return undefined
    // guard(same-scopes): whoever learned the id must not learn or change anything of another scope, guarantee 11
    if (!sameScopes(connection.scopes, scopes)) return undefined
    return connection
  }

  /** Ends every stream, spread over a time. Resolves when all are over, those that did not end in time cut off. */
  async close(drainMs: number, deadlineMs: number): Promise<void> {
    const leaving = [...this.#connections.values()]
    const ended = new Promise<void>((resolve) => {
      this.#onEnded = resolve
    })
    const deadline = this.clock.after(deadlineMs, () => {
      for (const connection of [...this.#connections.values(), ...this.#ending]) connection.destroy()
      this.#onEnded?.()
    })
    const cancels = leaving.map((connection, i) =>
      drainMs === 0
        ? this.#dismiss(connection)
        : this.clock.after((i / leaving.length) * drainMs, () => this.#dismiss(connection)),
    )
    if (this.#connections.size > 0 || this.#ending.size > 0) await ended
    deadline()
    for (const cancel of cancels) cancel?.()
    this.disconnects.close()
  }

  /** Hears what this process has recorded. */
  recorded(scope: string, at: Position): void {
    this.#channels.get(scope)?.channel.recorded(at)
  }

  /** Seconds since the registry confirmed the scope that it confirmed longest ago; 0 without scopes. */
  get verifyAgeSeconds(): number {
    const now = this.metrics.now()
    return this.channels.reduce((age, { verifiedAt }) => Math.max(age, now - verifiedAt), 0)
  }

  /** Tells the connections of this process what the registry could not take. */
  tell(scope: string, tags: readonly PlainTag[]): void {
    this.#channels.get(scope)?.channel.tell(tags)
  }

  greeting(): Omit<HelloFrame, 'connection' | 'cursor'> {
    const { heartbeatMs, scoped } = this.#options
    return { v: PROTOCOL_VERSION, heartbeatMs, retryMs: this.retryMs(), scoped }
  }

  heartbeatFrames(): HeartbeatFrames {
    return new HeartbeatFrames(this.retryMs())
  }

  retryMs(): number {
    return Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, this.#connections.size * RETRY_MS_PER_CONNECTION))
  }

  report(error: unknown, phase: 'registry' | 'stream'): void {
    this.#options.reporter.report(error, phase)
  }

  left(connection: Connection): void {
    this.#connections.delete(connection.id)
    this.#ending.add(connection)
    this.#wheel.delete(connection)
    const first = connection.scopes[1]
    if (first !== undefined) this.#release(first)
    for (const { scope } of connection.channels) this.#unuse(scope)
  }

  ended(connection: Connection): void {
    this.#ending.delete(connection)
    if (this.#connections.size === 0 && this.#ending.size === 0) this.#onEnded?.()
  }

  /** Compares what is not about one connection with the registry. */
  async verify(isDue: IsDue): Promise<void> {
    if (this.#options.scoped) await this.disconnects.verify(isDue)
  }

  /** Ends the streams in a scope, or all: whoever may still listen is authorized anew. */
  #endStreams(scope: string | undefined): void {
    if (scope !== undefined && !this.#channels.has(scope)) return
    const ending = [...this.#connections.values()].filter(({ scopes }) => scope === undefined || scopes.includes(scope))
    const spreadMs = Math.min(MAX_RETRY_MS, ending.length * RETRY_MS_PER_CONNECTION)
    for (const connection of ending) connection.bye('reauthorize', spreadMs)
  }

  #dismiss(connection: Connection): undefined {
    connection.bye('shutdown', this.retryMs())
    return undefined
  }

  #release(scope: string): void {
    const count = (this.#perScope.get(scope) ?? 0) - 1
    if (count > 0) this.#perScope.set(scope, count)
    else this.#perScope.delete(scope)
  }

  #use(scope: string): Channel {
    let entry = this.#channels.get(scope)
    if (!entry) {
      entry = { channel: new Channel(scope, this.#options), users: 0 }
      this.#channels.set(scope, entry)
    }
    entry.users++
    return entry.channel
  }

  #unuse(scope: string): void {
    const entry = this.#channels.get(scope)
    if (!entry || --entry.users > 0) return
    this.#channels.delete(scope)
    entry.channel.close()
  }
}

function sameScopes(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((scope) => b.includes(scope))
}
