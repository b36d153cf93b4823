import { QueryTagsError, type PlainTag, type Position } from '@query-tags/core'
import type { Clock } from '../../clock.ts'
import type { StoreContext } from '../store.ts'
import type { Missed, Recorded, TagRegistry } from '../tag-registry.ts'
import { ClusterLink } from './cluster-link.ts'
import { toDriver, type RedisClient } from './find-client.ts'
import { explain } from './permissions.ts'
import type { LinkEvents, RedisLink } from './redis-link.ts'
import { RecentWrites, VERIFY_MS, type Repair } from './recent-writes.ts'
import { ScopeCalls } from './scope-calls.ts'
import { SelfTest } from './self-test.ts'
import { SingleLink } from './single-link.ts'
import { StoreClocks } from './store-clock.ts'
import { Subscriptions } from './subscriptions.ts'

const DAY_MS = 86_400_000

export interface RedisRegistryOptions {
  /** A scope that nobody has asked for in this time is forgotten; clients that come back there get a reset. */
  readonly scopeTtlMs?: number
  readonly maxTagsPerScope?: number
  readonly maxBytesPerScope?: number
}

/** Tags that one call records again. */
const MAX_REPAIR_TAGS = 1000

/** A registry that many processes share: in Redis, or what speaks like it. */
export function openRedisRegistry(
  client: RedisClient,
  namespace: string | undefined,
  context: StoreContext,
  options: RedisRegistryOptions = {},
): TagRegistry {
  return new RedisRegistry(client, namespace, context, options)
}

class RedisRegistry implements TagRegistry {
  readonly #clock: Clock
  readonly #report: (error: unknown) => void
  readonly #link: RedisLink
  readonly #calls: ScopeCalls
  readonly #storeClocks: StoreClocks
  readonly #subscriptions: Subscriptions
  readonly #recent: RecentWrites
  readonly #selfTest: SelfTest
  /** Scopes of which the listeners could not be told where the head is. */
  readonly #untold = new Set<string>()
  /** Heads that were asked for in this task. */
  #asked = new Map<string, Asked>()
  #floorRaisedCount = 0
  #cancelVerify: (() => void) | undefined
  #closed = false

  constructor(
    client: RedisClient,
    namespace: string | undefined,
    { clock, report }: StoreContext,
    { scopeTtlMs = 7 * DAY_MS, maxTagsPerScope = 100_000, maxBytesPerScope = 16 * 2 ** 20 }: RedisRegistryOptions,
  ) {
    const driver = toDriver(client)
    this.#clock = clock
    this.#report = report
    this.#storeClocks = new StoreClocks(clock)
    this.#recent = new RecentWrites(clock)
    const events: LinkEvents = {
      onMessage: (channel, message) => {
        this.#selfTest.hear(channel)
        this.#subscriptions.receive(channel, message)
      },
      onResubscribed: (channels) => {
        this.#subscriptions.restored(channels)
      },
      onReconnected: () => {
        this.#verifyRecent(true)
        // guard(tell-untold): whoever was to look while no look was possible has to look now, guarantee 9
        this.#tellUntold()
      },
      report,
    }
    this.#link = driver.connectTo ? new ClusterLink(driver, clock, events) : new SingleLink(driver, clock, events)
    this.#calls = new ScopeCalls({
      link: this.#link,
      clock,
      storeClocks: this.#storeClocks,
      prefix: `${driver.keyPrefix}query-tags:${namespace ?? ''}:${driver.database}:`,
      limits: { ttlMs: scopeTtlMs, maxTags: maxTagsPerScope, maxBytes: maxBytesPerScope },
    })
    this.#subscriptions = new Subscriptions({
      link: this.#link,
      clock,
      toChannel: (scope) => this.#calls.key(scope),
      head: (scope) => this.head(scope),
      onDoubt: (scopes) => {
        this.#tellHeads(scopes)
      },
      onSeen: (scope, epoch) => {
        this.#see(scope, epoch)
      },
    })
    this.#selfTest = new SelfTest({ link: this.#link, calls: this.#calls, clock, report })
  }

  async record(scope: string, tags: readonly PlainTag[]): Promise<Position> {
    const { position, hasTrimmed } = await this.#calls.record(scope, tags)
    if (hasTrimmed) this.#floorRaisedCount++
    this.#see(scope, position.epoch)
    this.#recent.add(scope, position.epoch, tags)
    // guard(look-after-writes): a process that only records has no heartbeat that would find that its master was none any more, guarantee 1
    this.#scheduleVerify()
    return position
  }

  get floorRaisedCount(): number {
    return this.#floorRaisedCount
  }

  async since(scope: string, after: Position | { readonly ageMs: number }): Promise<Missed | 'expired'> {
    const { head, missed } = await this.#calls.since(scope, after)
    this.#see(scope, head.epoch)
    // guard(age-doubt): the answer itself may be what shows that the store's clock was set forward, guarantee 1
    if ('ageMs' in after && this.#storeClocks.of(head.epoch).isDoubtful) return 'expired'
    return missed
  }

  head(scope: string): Promise<Position> {
    if (this.#closed) return Promise.reject(closed())
    const asked = this.#asked.get(scope)
    if (asked) return asked.position
    if (this.#asked.size === 0) queueMicrotask(() => this.#readAsked())
    const created = ask()
    this.#asked.set(scope, created)
    return created.position
  }

  async subscribe(scope: string, listener: (recorded: Recorded) => void): Promise<() => void> {
    if (this.#closed) throw closed()
    this.#selfTest.start()
    try {
      return await this.#subscriptions.add(scope, listener)
    } catch (error) {
      throw explain(error)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelVerify?.()
    this.#selfTest.close()
    this.#subscriptions.close()
    this.#link.close()
  }

  #readAsked(): void {
    const asked = this.#asked
    this.#asked = new Map()
    void this.#calls.heads([...asked.keys()], {
      resolve: (scope, head) => {
        this.#see(scope, head.epoch)
        this.#subscriptions.expect(scope, head)
        asked.get(scope)?.resolve(head)
      },
      reject: (scope, error) => {
        asked.get(scope)?.reject(error)
      },
    })
  }

  /** For listeners that may have missed something. */
  #tellHeads(scopes: Iterable<string>): void {
    for (const scope of scopes) {
      this.head(scope).then(
        (head) => {
          this.#subscriptions.tellHead(scope, head)
        },
        () => {
          // The subscriptions were back before the calls are. A heartbeat would find it, too, but later.
          if (!this.#closed) this.#untold.add(scope)
        },
      )
    }
  }

  #tellUntold(): void {
    const untold = [...this.#untold].filter((scope) => this.#subscriptions.has(scope))
    this.#untold.clear()
    this.#tellHeads(untold)
  }

  /** An answer or a message told of which epoch a scope is. */
  #see(scope: string, epoch: string): void {
    const repair = this.#recent.see(scope, epoch)
    // guard(record-again): what a server that was cut off acknowledged is not where everybody is now, guarantee 1
    if (repair) void this.#repair(scope, repair)
  }

  async #repair(scope: string, repair: Repair): Promise<void> {
    try {
      if (repair.kind === 'renew') return void (await this.#calls.renew(scope))
      for (let i = 0; i < repair.tags.length; i += MAX_REPAIR_TAGS) {
        await this.record(scope, repair.tags.slice(i, i + MAX_REPAIR_TAGS))
      }
    } catch (error) {
      this.#recent.undo(scope)
      this.#report(error)
    }
  }

  #scheduleVerify(): void {
    if (this.#closed || this.#cancelVerify || this.#recent.isEmpty) return
    this.#cancelVerify = this.#clock.after(VERIFY_MS, () => {
      this.#cancelVerify = undefined
      this.#verifyRecent(false)
      this.#scheduleVerify()
    })
  }

  /** Looks where the scopes are that this process recorded in lately; {@link #see} does the rest. */
  #verifyRecent(all: boolean): void {
    for (const scope of this.#recent.due(all)) {
      // As long as there is no answer the writes are kept, and looked at again.
      this.head(scope).catch(() => undefined)
    }
  }
}

interface Asked {
  readonly position: Promise<Position>
  readonly resolve: (position: Position) => void
  readonly reject: (error: unknown) => void
}

function ask(): Asked {
  let [resolve, reject]: [Asked['resolve'], Asked['reject']] = [() => undefined, () => undefined]
  const position = new Promise<Position>((...settle) => {
    ;[resolve, reject] = settle
  })
  return { position, resolve, reject }
}

function closed(): QueryTagsError {
  return new QueryTagsError('closed', 'The registry is closed')
}
