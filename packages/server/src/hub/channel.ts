import type { Position, ResetReason } from '@query-tags/core'
import type { Recorded, TagRegistry } from '../registry/tag-registry.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Reporter } from '../reporter.ts'
import { Audience } from './audience.ts'
import { Invalidation } from './invalidation.ts'
import { expiryReason, SharedReads, type Reading, type Start } from './shared-reads.ts'
import type { Member } from './watcher.ts'

/** More than this many missed tags, or bytes of them, are not worth listing. */
export const MAX_REPLAY_TAGS = 1000
export const MAX_REPLAY_BYTES = 65_536
/** Refetches after a reset are spread at about a thousand clients a second, over this long at most. */
const MAX_SPREAD_MS = 20_000

/** Of what was recorded and not heard of, so much is waited for: a bus that is behind shows in fewer. */
const MAX_UNHEARD = 100

/** What a channel needs of its hub. */
export interface ChannelHost {
  readonly registry: TagRegistry
  readonly reporter: Reporter
  readonly metrics: Metrics
}

/**
 * One scope, as far as this process has connections in it. Passes on what the registry tells, in order and without gaps: when a message
 * does not follow the last one, it reads the difference and passes that on first.
 */
export class Channel {
  readonly scope: string
  readonly audience: Audience = new Audience()
  readonly members: Set<Member> = new Set()
  readonly #host: ChannelHost
  readonly #registry: TagRegistry
  readonly #reads: SharedReads
  #unsubscribe: (() => void) | undefined
  #readying: Promise<void> | undefined
  #verifying: Promise<void> | undefined
  #repairing: Promise<void> | undefined
  /** Something was not passed on since the last read began. */
  #behind = false
  #verified = false
  #isFailing = false
  /** When the registry last confirmed it, in seconds. */
  #verifiedAt: number
  /** Recorded by this process and not heard of yet. */
  #unheard: { readonly seq: number; readonly recordedAt: number }[] = []
  #closed = false
  /** Everything up to here was passed on. */
  #top: Position | undefined

  constructor(scope: string, host: ChannelHost) {
    this.scope = scope
    this.#host = host
    this.#registry = host.registry
    this.#verifiedAt = host.metrics.now()
    this.#reads = new SharedReads(host.registry, scope, this.audience)
  }

  /** Whether this channel was in step with its registry when it last looked. */
  get verified(): boolean {
    return this.#verified
  }

  /** Whether it waits for the registry's answer. */
  get isVerifying(): boolean {
    return this.#verifying !== undefined
  }

  /** Whether the registry could not confirm it when it was last asked. */
  get isFailing(): boolean {
    return this.#isFailing
  }

  /** When the registry last confirmed it, or else when it was made, in monotonic seconds. */
  get verifiedAt(): number {
    return this.#verifiedAt
  }

  /** Where live connections are. Only after {@link ready} resolved. */
  get head(): Position {
    if (!this.#top) throw new Error(`The channel of ${this.scope} was used before it was ready`)
    return this.#top
  }

  get spreadMs(): number {
    return Math.min(this.members.size, MAX_SPREAD_MS)
  }

  join(member: Member): void {
    this.members.add(member)
    for (const watcher of member.watchers.values()) this.audience.add(watcher)
  }

  leave(member: Member): void {
    this.members.delete(member)
    for (const watcher of member.watchers.values()) this.audience.delete(watcher)
  }

  close(): void {
    this.#closed = true
    this.#unsubscribe?.()
  }

  /** Resolves when the registry acknowledged the subscription and its head is known. Tries again when that failed before. */
  ready(): Promise<void> {
    this.#readying ??= this.#connect().catch((error: unknown) => {
      this.#readying = undefined
      throw error
    })
    return this.#readying
  }

  /** Rejects when the registry does. Only after {@link ready} resolved. */
  read(start: Start): Promise<Reading> {
    return this.#reads.read(start)
  }

  /** Compares with the registry's head, and catches up when it is elsewhere. Settles in bounded time; {@link verified} is the result. */
  verify(): Promise<void> {
    this.#verifying ??= this.#verify().finally(() => {
      this.#verifying = undefined
    })
    return this.#verifying
  }

  /** Measures how long what this process has just recorded takes to come back. */
  recorded({ epoch, seq }: Position): void {
    const top = this.#top
    if (!top || top.epoch !== epoch) return
    if (seq <= top.seq) return this.#host.metrics.busLagSeconds.observe(0)
    if (this.#unheard.length < MAX_UNHEARD) this.#unheard.push({ seq, recordedAt: this.#host.metrics.now() })
  }

  /** Passes on what the registry could not take. It has no position, and no other process hears of it. */
  tell(tags: Recorded['tags']): void {
    this.#deliver(new Invalidation(this.scope, undefined, tags, this.audience))
  }

  async #connect(): Promise<void> {
    if (!this.#unsubscribe) {
      const unsubscribe = await this.#registry.subscribe(this.scope, (recorded) => {
        this.#receive(recorded)
      })
      this.#unsubscribe = unsubscribe
      if (this.#closed) unsubscribe()
    }
    this.#top = await this.#registry.head(this.scope)
    this.#succeed()
    if (this.#behind) await this.#repair()
  }

  async #verify(): Promise<void> {
    try {
      await this.ready()
      const before = this.head
      const head = await this.#registry.head(this.scope)
      const now = this.head
      const inStep =
        head.epoch === now.epoch && head.seq <= now.seq && (head.seq >= before.seq || before.epoch !== now.epoch)
      // guard(verify-repairs): a message that was lost on the way is found here when no other follows it, guarantee 9
      if (!inStep) await this.#repair()
      this.#succeed()
    } catch (error) {
      // guard(unverified-is-said): without the registry's word nobody may be told that the stream is up to date, guarantee 9
      this.#verified = false
      this.#fail(error)
    }
  }

  #succeed(): void {
    this.#verified = true
    this.#isFailing = false
    this.#verifiedAt = this.#host.metrics.now()
  }

  #fail(error: unknown): void {
    this.#isFailing = true
    this.#host.reporter.report(error, 'registry')
  }

  #receive({ epoch, prev, seq, tags }: Recorded): void {
    const top = this.#top
    if (!top) {
      this.#behind = true
      return
    }
    if (epoch === top.epoch && seq <= top.seq) return
    // guard(gap-hold): passing this on before what is missing would move every cursor over the gap, guarantee 6
    if (this.#repairing || epoch !== top.epoch || prev !== top.seq) return this.#catchUp()
    this.#pass({ epoch, seq }, tags)
  }

  /** Starts a repair, or lets the running one go round again. The message itself comes from the log then. */
  #catchUp(): void {
    this.#behind = true
    this.#repair().catch((error: unknown) => {
      // The next heartbeat finds the gap again.
      this.#verified = false
      this.#fail(error)
    })
  }

  #repair(): Promise<void> {
    this.#repairing ??= this.#readGap()
    return this.#repairing
  }

  async #readGap(): Promise<void> {
    try {
      do {
        this.#behind = false
        await this.#readOnce(this.head)
      } while (this.#behind && !this.#closed)
    } finally {
      // In the same step as the last look at #behind, or a message in between would ask a repair that is over.
      this.#repairing = undefined
    }
  }

  async #readOnce(from: Position): Promise<void> {
    const missed = await this.#registry.since(this.scope, from)
    if (missed === 'expired') {
      const head = await this.#registry.head(this.scope)
      return this.#resetAll(head, expiryReason(from, head))
    }
    if (missed.entries.length > 0) this.#host.metrics.gapsRepaired++
    const tagCount = missed.entries.reduce((count, { tags }) => count + tags.length, 0)
    if (tagCount > MAX_REPLAY_TAGS) return this.#resetAll(missed.head, 'too-many')
    for (const { seq, tags } of missed.entries) this.#pass({ epoch: missed.head.epoch, seq }, tags)
    this.#moveTo(missed.head)
  }

  #resetAll(head: Position, reason: ResetReason): void {
    this.#moveTo(head)
    for (const member of this.members) member.reset(this, reason)
  }

  #pass(at: Position, tags: Recorded['tags']): void {
    this.#moveTo(at)
    this.#deliver(new Invalidation(this.scope, at, tags, this.audience))
  }

  #moveTo(top: Position): void {
    this.#top = top
    while (this.#unheard[0] && this.#unheard[0].seq <= top.seq) {
      const { recordedAt } = this.#unheard.shift()!
      this.#host.metrics.busLagSeconds.observe(this.#host.metrics.now() - recordedAt)
    }
  }

  #deliver(invalidation: Invalidation<Position | undefined>): void {
    for (const member of this.audience.membersWatching(invalidation.tags)) member.deliver(this, invalidation)
  }
}
