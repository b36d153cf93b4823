import { QueryTagsError, type Receipt } from '@query-tags/core'
import type { Attachment, AttachOptions, Binding, ConnectionStatus, InvalidatorClient } from '@query-tags/core/client'
import type { Activity } from './activity.ts'
import { whenIdle } from './when-idle.ts'

/** A client that can be waited for. Everything else is the client that your app has in production. */
export interface TestClient extends InvalidatorClient {
  /**
   * Resolves when everything that was recorded until now has had its effects on this client's cache. In particular it waits until
   *
   * - the client, when something is bound to it, is connected;
   * - calls of `invalidateTags` and `invalidateAfter` that have begun to record are recorded, delivered and applied;
   * - requests to watch tags, those of queries that mounted just now too, are answered;
   * - no query with tags is fetching, or about to be fetched by the binding; and observers were told of the results.
   *
   * It does not wait for what nobody knows of yet (a request to your own API that will call `invalidateTags`: await that first), for refetches
   * that a mutation in flight or a hidden page holds back, and for loaders of a router. What your query functions wait for, it waits for; and
   * with fake timers it needs them to move, as TanStack Query itself does. With nothing bound, or after `close()`, there is nothing to wait for.
   *
   * @throws {QueryTagsError} `unavailable` when the client is not connected and will not be by itself; the message says why.
   */
  settled(): Promise<void>
}

export interface TestClientHost {
  readonly client: InvalidatorClient
  readonly activity: Activity
}

/** Passes on to the real client, and keeps hold of what is bound to it. */
export class WatchedClient implements TestClient {
  readonly #client: InvalidatorClient
  readonly #activity: Activity
  #binding: Binding | undefined

  constructor({ client, activity }: TestClientHost) {
    this.#client = client
    this.#activity = activity
  }

  get status(): ConnectionStatus {
    return this.#client.status
  }

  subscribe(listener: () => void): () => void {
    return this.#client.subscribe(listener)
  }

  attach(binding: Binding, options?: AttachOptions): Attachment {
    const attachment = this.#client.attach(withoutSpread(binding), options)
    this.#binding = binding
    return {
      ...attachment,
      detach: () => {
        if (this.#binding === binding) this.#binding = undefined
        attachment.detach()
      },
    }
  }

  applyReceipt(receipt: Receipt): void {
    this.#client.applyReceipt(receipt)
  }

  close(): void {
    this.#binding = undefined
    this.#client.close()
  }

  async settled(): Promise<void> {
    let begun: number
    do {
      await this.#activity.quiet()
      begun = this.#activity.begun
      if (this.#binding) await whenIdle(this.#binding)
      // A refetch may have brought tags to be watched.
      await this.#activity.quiet()
    } while (this.#activity.begun > begun)
    const { status } = this
    if (this.#binding && status.state === 'waiting') {
      throw new QueryTagsError(
        'unavailable',
        `The client is not connected (${status.reason}), so nothing is delivered to it; see the system's resolveScope and context, and whether it was closed`,
      )
    }
  }
}

/** With one client there is no crowd to be spread, and nothing to wait for. */
function withoutSpread(binding: Binding): Binding {
  return {
    onHello: () => binding.onHello(),
    onInvalidate: (invalidation) => binding.onInvalidate({ ...invalidation, spreadMs: 0 }),
    onReset: (reset) => binding.onReset({ ...reset, spreadMs: 0 }),
    onMissed: (added, missed, at) => binding.onMissed(added, missed, at),
  }
}
