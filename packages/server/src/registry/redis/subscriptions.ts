import { toTagKey, type PlainTag, type Position } from '@query-tags/core'
import type { Clock } from '../../clock.ts'
import type { Recorded } from '../tag-registry.ts'
import type { RedisLink } from './redis-link.ts'
import { FORMAT } from './script.ts'

/** A subscription stays for this long after its last listener: a page that is loaded again comes back at once. */
const LINGER_MS = 10_000
/** A message that is not here this long after somebody saw its invalidation will not come. */
const DEAF_MS = 2000

type Listener = (recorded: Recorded) => void

interface Subscription {
  readonly scope: string
  readonly channel: string
  readonly listeners: Set<Listener>
  isAcknowledged: boolean
  /** Callers that wait for the acknowledgement. */
  joining: number
  cancelLinger: (() => void) | undefined
  /** The last message, or where the subscription began. */
  heard: Position | undefined
  /** A head that was seen, and when: the message that led there has to be heard. */
  expected: { readonly head: Position; readonly at: number } | undefined
}

export interface SubscriptionsOptions {
  readonly link: Pick<RedisLink, 'subscribe' | 'unsubscribe' | 'resubscribe'>
  readonly clock: Clock
  readonly toChannel: (scope: string) => string
  readonly head: (scope: string) => Promise<Position>
  /** Messages may have been missed in these scopes. */
  readonly onDoubt: (scopes: readonly string[]) => void
  readonly onSeen: (scope: string, epoch: string) => void
}

/** The channels that somebody in this process listens to: one subscription for all listeners of a scope. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions
  readonly #byScope = new Map<string, Subscription>()
  readonly #byChannel = new Map<string, Subscription>()

  constructor(options: SubscriptionsOptions) {
    this.#options = options
  }

  async add(scope: string, listener: Listener): Promise<() => void> {
    const subscription = this.#open(scope)
    subscription.joining++
    try {
      const isShared = subscription.isAcknowledged
      await this.#options.link.subscribe(subscription.channel)
      subscription.isAcknowledged = true
      // What was recorded before now may still be on its way to a subscription that was there already.
      const before = isShared ? await this.#options.head(scope) : undefined
      const entry: Listener = (recorded) => {
        const { epoch, seq } = recorded
        if (epoch !== before?.epoch || seq > before.seq || recorded.tags.length === 0) listener(recorded)
      }
      subscription.listeners.add(entry)
      return () => {
        if (subscription.listeners.delete(entry)) this.#linger(subscription)
      }
    } finally {
      subscription.joining--
      this.#linger(subscription)
    }
  }

  has(scope: string): boolean {
    return this.#byScope.has(scope)
  }

  receive(channel: string, message: string): void {
    const subscription = this.#byChannel.get(channel)
    if (!subscription) return
    const recorded = parseMessage(message)
    // guard(unreadable-message): it may be an invalidation, e.g. of a newer version of us, guarantee 1
    if (!recorded) this.#options.onDoubt([subscription.scope])
    if (!recorded) return
    subscription.heard = recorded
    this.#options.onSeen(subscription.scope, recorded.epoch)
    for (const listener of subscription.listeners) listener(recorded)
  }

  /** These channels are listened to from now on; before that something may have passed. */
  restored(channels: readonly string[]): void {
    const restored = channels.map((channel) => this.#byChannel.get(channel)).filter((each) => each !== undefined)
    for (const subscription of restored) forgetExpected(subscription)
    this.#options.onDoubt(restored.map(({ scope }) => scope))
  }

  /** Tells listeners where their scope is: whoever is elsewhere reads what is missing. */
  tellHead(scope: string, { epoch, seq }: Position): void {
    const subscription = this.#byScope.get(scope)
    for (const listener of subscription?.listeners ?? []) listener({ epoch, prev: seq, seq, tags: [] })
  }

  /** A head was seen. What was published on the way there has to be heard soon, or the subscription is none any more. */
  expect(scope: string, head: Position): void {
    const subscription = this.#byScope.get(scope)
    if (!subscription || subscription.listeners.size === 0) return
    const { expected, heard } = subscription
    const now = this.#options.clock.now()
    subscription.heard ??= head
    if (!expected || !heard || heard.epoch !== expected.head.epoch || heard.seq >= expected.head.seq) {
      // A scope that began anew says nothing of its messages.
      if (heard?.epoch !== head.epoch) subscription.heard = head
      subscription.expected = { head, at: now }
    } else if (now - expected.at >= DEAF_MS) {
      // guard(deaf-subscription): nothing but silence tells of a subscription that the server or the library has lost, guarantee 9
      this.#renew(subscription)
    }
  }

  close(): void {
    for (const { cancelLinger } of this.#byScope.values()) cancelLinger?.()
    this.#byScope.clear()
    this.#byChannel.clear()
  }

  #renew(subscription: Subscription): void {
    forgetExpected(subscription)
    const { channel, scope } = subscription
    this.#options.link.resubscribe(channel).then(
      () => {
        this.#options.onDoubt([scope])
      },
      // It is restored with the next connection, and the doubt comes then.
      () => undefined,
    )
  }

  #open(scope: string): Subscription {
    const subscription = this.#byScope.get(scope) ?? this.#create(scope)
    subscription.cancelLinger?.()
    subscription.cancelLinger = undefined
    return subscription
  }

  #create(scope: string): Subscription {
    const subscription: Subscription = {
      scope,
      channel: this.#options.toChannel(scope),
      listeners: new Set(),
      isAcknowledged: false,
      joining: 0,
      cancelLinger: undefined,
      heard: undefined,
      expected: undefined,
    }
    this.#byScope.set(scope, subscription)
    this.#byChannel.set(subscription.channel, subscription)
    return subscription
  }

  #linger(subscription: Subscription): void {
    const { scope, channel, listeners, joining, cancelLinger } = subscription
    if (listeners.size > 0 || joining > 0 || cancelLinger || this.#byScope.get(scope) !== subscription) return
    subscription.cancelLinger = this.#options.clock.after(LINGER_MS, () => {
      this.#byScope.delete(scope)
      this.#byChannel.delete(channel)
      // Nobody listens any more, whatever becomes of it.
      this.#options.link.unsubscribe(channel).catch(() => undefined)
    })
  }
}

function forgetExpected(subscription: Subscription): void {
  subscription.heard = undefined
  subscription.expected = undefined
}

function parseMessage(message: string): Recorded | undefined {
  try {
    const { format, epoch, prev, seq, tags } = JSON.parse(message) as Record<string, unknown>
    const isReadable =
      format === FORMAT &&
      typeof epoch === 'string' &&
      Number.isSafeInteger(prev) &&
      Number.isSafeInteger(seq) &&
      Array.isArray(tags)
    // Throws for what is no tag: listeners rely on it.
    if (isReadable) (tags as PlainTag[]).forEach(toTagKey)
    return isReadable ? { epoch, prev: prev as number, seq: seq as number, tags: tags as PlainTag[] } : undefined
  } catch {
    // Not JSON, or not tags: nothing of ours.
    return undefined
  }
}
