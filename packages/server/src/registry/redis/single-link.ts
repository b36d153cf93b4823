import type { Clock } from '../../clock.ts'
import { Lane } from './lane.ts'
import type { RedisDriver } from './redis-driver.ts'
import type { LinkEvents, RedisLink } from './redis-link.ts'
import { runScript } from './run-script.ts'
import { SubscriberLane } from './subscriber-lane.ts'

/** Scopes that one call looks at: more would keep Redis from everybody else for too long. */
const MAX_KEYS = 200

/** One server, or with Sentinel the one that is the master. */
export class SingleLink implements RedisLink {
  readonly publish = 'PUBLISH'
  readonly #driver: RedisDriver
  readonly #commands: Lane
  readonly #subscriber: SubscriberLane

  constructor(driver: RedisDriver, clock: Clock, events: LinkEvents) {
    this.#driver = driver
    this.#commands = new Lane(driver.connect, clock, {
      onOpen: events.onReconnected,
      onLost: () => undefined,
      onMessage: () => undefined,
      onUnsubscribed: () => undefined,
    })
    this.#subscriber = new SubscriberLane(driver.connect, clock, {
      onMessage: events.onMessage,
      onResubscribed: events.onResubscribed,
      // Only sharded subscriptions move.
      onMoved: () => undefined,
      onLost: () => undefined,
      report: events.report,
    })
    driver.onMasterChange?.(() => {
      const error = new Error('Another server became the master')
      this.#commands.renew(error)
      this.#subscriber.renew(error)
    })
  }

  get inFlight(): number {
    return this.#commands.inFlight + this.#subscriber.inFlight
  }

  toBatches(keys: readonly string[]): readonly (readonly string[])[] {
    const batches: (readonly string[])[] = []
    for (let i = 0; i < keys.length; i += MAX_KEYS) batches.push(keys.slice(i, i + MAX_KEYS))
    return batches
  }

  run(keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return runScript(this.#commands, keys, args)
  }

  subscribe(channel: string): Promise<void> {
    return this.#subscriber.subscribe(channel)
  }

  unsubscribe(channel: string): Promise<void> {
    return this.#subscriber.unsubscribe(channel)
  }

  resubscribe(channel: string): Promise<void> {
    return this.#subscriber.resubscribe(channel)
  }

  close(): void {
    this.#commands.close()
    this.#subscriber.close()
    this.#driver.close()
  }
}
