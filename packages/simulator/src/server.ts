import { createTagInvalidationSystem, type TagInvalidationSystem } from '@query-tags/server'
import { isQueryTagsError } from '@query-tags/core'
import { Process } from './clock.ts'
import { scopesOf, toUser, type User } from './people.ts'
import { RegistryLink, type LinkState, type Store } from './registry.ts'
import type { Sim } from './sim.ts'

export interface ServerOptions {
  readonly heartbeatMs: number
  readonly maxStreamMs: number
  readonly maxBacklogBytes: number
  readonly writeStallMs: number
  readonly maxConnections: number
  /** Longest time that finding out who somebody is takes. */
  readonly authorizeMs: number
}

/** How wrong a server's clock may be. */
const MAX_SKEW_MS = 5000

/** Who a request says it is from. */
type Caller = { readonly user: User | undefined } | 'expired session'

/** One process of the application's backend, which can be stopped, killed and started again. */
export class Server {
  readonly name: string
  /** What it would send if it were one version newer: things that a client of this one does not know. */
  isNewer = false
  readonly link: LinkState
  readonly #sim: Sim
  readonly #store: Store
  readonly #options: ServerOptions
  readonly #stopped: Process[] = []
  #running: { process: Process; registry: RegistryLink; system: TagInvalidationSystem<Caller> } | undefined

  constructor(sim: Sim, name: string, store: Store, link: LinkState, options: ServerOptions) {
    this.name = name
    this.link = link
    this.#sim = sim
    this.#store = store
    this.#options = options
  }

  get heartbeatMs(): number {
    return this.#options.heartbeatMs
  }

  get isUp(): boolean {
    return this.#running !== undefined
  }

  /** @throws when it is down. */
  get system(): TagInvalidationSystem<Caller> {
    if (!this.#running) throw new Error(`${this.name} is down`)
    return this.#running.system
  }

  get process(): Process | undefined {
    return this.#running?.process
  }

  /** What servers that ended in good order still wait for. */
  get leftTimers(): number {
    return this.#stopped.reduce((count, { pending }) => count + pending, 0)
  }

  get subscriptions(): number {
    return this.#running?.registry.subscriptions ?? 0
  }

  /** When the store last answered this server where a scope is. */
  headAt(scope: string): number {
    return this.#running?.registry.headAt.get(scope) ?? -Infinity
  }

  start(): void {
    if (this.#running) return
    const { clock, random } = this.#sim
    const { maxBacklogBytes, writeStallMs, maxConnections, heartbeatMs, maxStreamMs } = this.#options
    const process = new Process(this.name)
    process.wallOffsetMs = random.between(-MAX_SKEW_MS, MAX_SKEW_MS)
    const registry = new RegistryLink(this.#sim, this.#store, process, this.link)
    const system = createTagInvalidationSystem<Caller>({
      store: registry,
      heartbeatMs,
      maxStreamMs,
      limits: { maxBacklogBytes, writeStallMs, maxConnections },
      resolveScope: async (caller) => {
        if (this.#options.authorizeMs > 0) await this.#sim.pause(process, random.between(0, this.#options.authorizeMs))
        return caller === 'expired session' ? null : scopesOf(caller.user)
      },
      onError: (error, { phase }) => this.#onError(error, phase),
      clock: {
        now: () => clock.now,
        wallNow: () => this.#sim.wall(process),
        after: (ms, callback) => clock.after(process, ms, callback),
        random: () => random.next(),
      },
    })
    this.#running = { process, registry, system }
    this.#handle = system.createAPIHandler({ context: toCaller })
  }

  #handle: ((request: Request) => Promise<Response>) | undefined

  /** @throws when it is down. */
  handle(request: Request): Promise<Response> {
    if (!this.#handle) throw new Error(`${this.name} is down`)
    return this.#handle(request)
  }

  /** Ends in good order, while its place is taken by nobody. */
  async stop(): Promise<void> {
    const running = this.#running
    if (!running) return
    await running.system.close({ deadlineMs: 3000, drainMs: this.#sim.random.pick([0, 1000]) })
    if (this.#running !== running) return
    const left = running.system.stats()
    if (left.connections + left.endingConnections + left.scopes + left.watchedTags > 0) {
      this.#sim.fail(`${this.name} left something behind: ${JSON.stringify(left)}`)
    }
    this.#running = undefined
    this.#stopped.push(running.process)
    await running.registry.close()
  }

  /** Dies on the spot: its timers, its subscriptions and what it was about to do. */
  async kill(): Promise<void> {
    const running = this.#running
    if (!running) return
    this.#running = undefined
    this.#sim.clock.kill(running.process)
    await running.registry.close()
  }

  /** What it reports are failures of the store, and nothing else. */
  #onError(error: unknown, phase: string): void {
    if (phase === 'registry' || isQueryTagsError(error, 'registry-unavailable')) {
      const cause = isQueryTagsError(error) ? error.cause : error
      if (cause === undefined || (cause instanceof Error && cause.message.startsWith('simulated')))
        return this.#sim.saw('registry error')
    }
    this.#sim.fail(`${this.name} reported in ${phase}: ${describe(error)}`)
  }
}

function toCaller(request: Request): Caller {
  const session = request.headers.get('authorization') ?? ''
  if (session === 'expired') return 'expired session'
  return { user: toUser(session) }
}

function describe(error: unknown): string {
  return error instanceof Error
    ? `${error.stack}${error.cause ? `, because ${describe(error.cause)}` : ''}`
    : String(error)
}
