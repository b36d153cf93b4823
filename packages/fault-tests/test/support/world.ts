import { withTags } from '@query-tags/core'
import { createHTTPInvalidatorClient, type InvalidatorClient } from '@query-tags/http-client'
import { bindTags, type InvalidationEvent } from '@query-tags/query-core'
import type { SystemOptions } from '@query-tags/server'
import { QueryClient, QueryObserver, type Query } from '@tanstack/query-core'
import { onTestFinished, vi } from 'vitest'
import { AppServer } from './app-server.ts'
import { ShiftedEnvironment } from './shifted-environment.ts'
import { TcpProxy } from './tcp-proxy.ts'

type Fetch = typeof globalThis.fetch

/** Long enough that a busy machine is not late, short enough to wait for. */
const HEARTBEAT_MS = 400

/** A database with one number per name, which is the tag too; a server that tells of it; a proxy; and a client behind the proxy. */
export class World {
  readonly server: AppServer
  readonly proxy: TcpProxy
  readonly environment: ShiftedEnvironment = new ShiftedEnvironment()
  readonly client: InvalidatorClient
  readonly queryClient: QueryClient = new QueryClient({
    defaultOptions: { queries: { staleTime: Infinity, retry: false } },
  })
  /** What the client applied, in order. */
  readonly events: InvalidationEvent[] = []
  /** Names, in the order in which they were fetched. */
  readonly fetches: string[] = []
  /** Every character of the streams, as the client reads it. */
  received = ''
  readonly #values = new Map<string, number>()

  private constructor(server: AppServer, proxy: TcpProxy, fetch: Fetch) {
    this.server = server
    this.proxy = proxy
    this.client = createHTTPInvalidatorClient({
      basePath: `${proxy.url}/api/invalidator`,
      environment: this.environment,
      fetch: async (input, init) => this.#listenTo(await fetch(input, init)),
    })
  }

  /** @param fetch in place of the client's, to hold requests back. */
  static async start(options: SystemOptions = {}, fetch: Fetch = globalThis.fetch): Promise<World> {
    const server = await AppServer.start({ heartbeatMs: HEARTBEAT_MS, ...options })
    const proxy = await TcpProxy.listen(server.port)
    const world = new World(server, proxy, fetch)
    onTestFinished(async () => {
      world.client.close()
      await proxy.close()
      await server.close()
    })
    return world
  }

  /** The page has loaded: its cache is bound to the client. */
  bind(): void {
    const { queryClient, client, events } = this
    bindTags({ queryClient, client, onInvalidation: (event) => events.push(event) })
  }

  /** A component that shows some names mounts. */
  show(...names: string[]): void {
    for (const name of names) {
      const queryFn = async (): Promise<number> => {
        this.fetches.push(name)
        return this.#values.get(name) ?? 0
      }
      new QueryObserver(this.queryClient, withTags({ queryKey: [name], queryFn }, [[name]])).subscribe(() => undefined)
    }
  }

  /** Changes some names, and says so. */
  async change(...names: string[]): Promise<void> {
    for (const name of names) this.#values.set(name, (this.#values.get(name) ?? 0) + 1)
    await this.server.system.invalidateTags({ tags: names.map((name): [string] => [name]) })
  }

  get resets(): readonly (string | undefined)[] {
    return this.events.filter(({ source }) => source === 'reset').map(({ reason }) => reason)
  }

  /** The cache's own snapshot is an entry without tags. */
  get #tagged(): Query[] {
    return this.queryClient.getQueryCache().findAll({ predicate: ({ meta }) => meta?.['tags'] !== undefined })
  }

  /** Names whose data are not what the database has. */
  get outdated(): string[] {
    const names = this.#tagged.filter(({ queryKey: [name], state }) => {
      return state.data !== (this.#values.get(name as string) ?? 0) || state.isInvalidated
    })
    return names.map(({ queryKey: [name] }) => name as string)
  }

  get state(): string {
    return this.client.status.state
  }

  /** Live, nothing fetched, nothing marked, and the server has every tag that is shown. */
  async settled(): Promise<void> {
    await this.until(() => {
      const names = this.#tagged.length
      return this.state === 'live' && this.isFresh && this.server.system.stats().watchedTags === names
    })
  }

  get isFresh(): boolean {
    return this.outdated.length === 0 && this.queryClient.isFetching() === 0
  }

  /** Waits for a condition; it is what a test waits for, never a time. */
  async until(condition: () => boolean, ms = 8000): Promise<void> {
    await vi.waitUntil(condition, { timeout: ms, interval: 5 }).catch((error: unknown) => {
      const { status } = this.client
      const stats = JSON.stringify(this.server.system.stats())
      throw new Error(`${JSON.stringify(status)}, outdated: ${this.outdated.join()}, server: ${stats}`, {
        cause: error,
      })
    })
  }

  /** Waits until the client has read a whole heartbeat that the server wrote after now. */
  async heartbeat(): Promise<void> {
    // The next one may be on its way already.
    const from = this.received.length
    await this.until(() => this.received.slice(from).split('event: heartbeat').length > 2)
  }

  #listenTo(response: Response): Response {
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response
    const decoder = new TextDecoder()
    const listening = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: (bytes, controller) => {
        this.received += decoder.decode(bytes, { stream: true })
        controller.enqueue(bytes)
      },
    })
    return new Response(response.body!.pipeThrough(listening), response)
  }
}
