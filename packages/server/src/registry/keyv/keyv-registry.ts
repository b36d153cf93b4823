import { QueryTagsError, type PlainTag, type Position } from '@query-tags/core'
import { randomId } from '../../clock.ts'
import { Listeners } from '../listeners.ts'
import type { RegistryLimits } from '../scope-logs.ts'
import type { KeyvStore, StoreContext } from '../store.ts'
import type { Missed, Recorded, TagRegistry } from '../tag-registry.ts'
import { Compaction } from './compaction.ts'
import { OwnerWatch, SILENT_MS, surveyGenerations } from './generations.ts'
import { Journal } from './journal.ts'
import { KeyvAccess } from './keyv-access.ts'
import type { Claim, ProcessIdentity } from './layout.ts'
import { inUse } from './one-process.ts'
import { OwnershipLost } from './ownership.ts'
import { identifyProcess } from './process-identity.ts'
import { SessionState, type Session } from './session-state.ts'
import { takeOver } from './take-over.ts'
import { aborted, backoffMs, sleep } from './waiting.ts'

/** How often a process that has to wait for another one looks whether it is gone. */
const LOOK_MS = 1000
/** How long closing waits for the store. */
const CLOSE_MS = 3000

export interface KeyvRegistryOptions {
  readonly limits?: RegistryLimits
  /** For tests: who this process is. */
  readonly identify?: () => Promise<ProcessIdentity>
  /** For tests: the silence after which an owner is taken for gone. */
  readonly silentMs?: number
}

/** A registry that outlives its process, for one process at a time. */
export function openKeyvRegistry(
  keyv: KeyvStore,
  context: StoreContext,
  options: KeyvRegistryOptions = {},
): TagRegistry {
  return new KeyvRegistry(keyv, context, options)
}

class KeyvRegistry implements TagRegistry {
  readonly #context: StoreContext
  readonly #limits: RegistryLimits
  readonly #access: KeyvAccess
  readonly #listeners = new Listeners()
  readonly #instance: string
  readonly #state = new SessionState()
  readonly #closing = new AbortController()
  readonly #running: Promise<void>
  #attempts = 0
  #latest = 0
  /** Floors raised in sessions that are over. */
  #raisedBefore = 0

  constructor(keyv: KeyvStore, context: StoreContext, options: KeyvRegistryOptions) {
    this.#context = context
    this.#limits = options.limits ?? {}
    this.#access = new KeyvAccess(keyv, context.clock)
    this.#instance = randomId(context.clock, 64)
    this.#running = this.#run(options)
  }

  get floorRaisedCount(): number {
    return this.#raisedBefore + (this.#state.open?.logs.floorRaisedCount ?? 0)
  }

  async record(scope: string, tags: readonly PlainTag[]): Promise<Position> {
    const { journal } = await this.#state.session
    return journal.record(scope, tags)
  }

  async since(scope: string, after: Position | { readonly ageMs: number }): Promise<Missed | 'expired'> {
    const { ownership, journal, logs } = await this.#state.session
    await ownership.confirm()
    return logs.since(await journal.find(scope), after)
  }

  async head(scope: string): Promise<Position> {
    const { ownership, journal } = await this.#state.session
    // guard(confirmed-read): an owner that was replaced has to say so, or its clients would take silence for news, guarantee 9
    await ownership.confirm()
    const { head } = await journal.find(scope)
    return head
  }

  async subscribe(scope: string, listener: (recorded: Recorded) => void): Promise<() => void> {
    await this.#state.session
    return this.#listeners.add(scope, listener)
  }

  async close(): Promise<void> {
    const session = this.#state.open
    this.#state.fail(new QueryTagsError('closed', 'The registry is closed'))
    this.#closing.abort()
    const waiting = new AbortController()
    const releasing = (async () => {
      await session?.journal.idle()
      await session?.ownership.release()
      await this.#running
    })().catch(this.#context.report)
    await Promise.race([releasing, sleep(this.#context.clock, CLOSE_MS, waiting.signal)])
    waiting.abort()
    session?.ownership.stop(new OwnershipLost('The registry is closed'))
    this.#listeners.clear()
    this.#access.close()
  }

  /** Opens the store, again and again whenever that fails or another process took over. */
  async #run({ identify = identifyProcess, silentMs = SILENT_MS }: KeyvRegistryOptions): Promise<void> {
    const { clock, report } = this.#context
    const { signal } = this.#closing
    const here = await identify()
    const watch = new OwnerWatch(clock, here, silentMs)
    for (let failures = 0; !signal.aborted;) {
      try {
        const rival = await this.#attempt(here, watch)
        failures = 0
        if (rival && this.#state.fail(inUse(rival))) report(inUse(rival))
        await sleep(clock, rival ? LOOK_MS : backoffMs(0, clock), signal)
      } catch (error) {
        this.#state.fail(new QueryTagsError('registry-unavailable', 'The store could not be opened', { cause: error }))
        report(error)
        await sleep(clock, backoffMs(failures++, clock), signal)
      }
    }
  }

  /** Takes over if nobody else is there, and serves for as long as it lasts. Returns whoever is there. */
  async #attempt(here: ProcessIdentity, watch: OwnerWatch): Promise<Claim | undefined> {
    const { clock, report } = this.#context
    const readAt = clock.now()
    const generations = await surveyGenerations(this.#access, this.#latest)
    this.#latest = generations[0]?.number ?? 0
    const rival = await watch.findLiving(generations, readAt, (owner) => owner.startsWith(this.#instance))
    if (rival) return rival
    const owner = `${this.#instance}-${++this.#attempts}`
    const taken = await takeOver(generations, {
      access: this.#access,
      clock,
      report,
      listeners: this.#listeners,
      limits: this.#limits,
      process: here,
      owner,
    })
    if (!taken) return undefined
    const { ownership, logs } = taken
    const journal = new Journal(ownership, logs, this.#listeners, () => {
      compaction.consider()
    })
    const compaction = new Compaction({ ...taken, access: this.#access, clock, report, journal })
    await this.#serve({ ownership, logs, journal, compaction })
    return undefined
  }

  async #serve(session: Session): Promise<void> {
    const { ownership, logs, journal, compaction } = session
    if (this.#closing.signal.aborted) return ownership.release()
    this.#state.succeed(session)
    compaction.begin()
    await this.#tellHeads(journal)
    await aborted(ownership.ended)
    this.#raisedBefore += logs.floorRaisedCount
    if (!this.#closing.signal.aborted && ownership.lost) this.#state.fail(ownership.lost)
    await compaction.idle()
  }

  /** Whoever listened before heard nothing meanwhile; from the head they see what they missed. */
  async #tellHeads(journal: Journal): Promise<void> {
    for (const scope of this.#listeners.scopes) {
      const { head } = await journal.find(scope)
      this.#listeners.tell(scope, { ...head, prev: head.seq, tags: [] })
    }
  }
}
