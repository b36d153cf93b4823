import type { Attachment, Binding, InvalidatorClient, ReadPosition } from '../../src/client/client.ts'
import type { PlainTag } from '../../src/tags/tag.ts'
import { nameOf } from './world.ts'

/** A fetch that is under way. It read the database when it began. */
interface Fetch {
  readonly version: number
  readonly from: ReadPosition
  readonly wasWatched: boolean
  isOutdated: boolean
}

interface Query {
  version: number
  fetch?: Fetch | undefined
}

/** The smallest binding that does what DESIGN §7 asks of one: a query a tag, read positions, and a fetch that never ends fresh when it must not. */
export class ModelApp implements Binding {
  readonly #database: ReadonlyMap<string, number>
  readonly #client: InvalidatorClient
  readonly #queries = new Map<string, Query>()
  #attachment: Attachment

  constructor(client: InvalidatorClient, database: ReadonlyMap<string, number>) {
    this.#database = database
    this.#client = client
    this.#attachment = client.attach(this)
  }

  /** Queries whose data are older than the database. */
  get stale(): string[] {
    return [...this.#queries].filter(([tag, { version }]) => version !== this.#database.get(tag)).map(([tag]) => tag)
  }

  mount(tag: string): void {
    if (this.#queries.has(tag)) return
    this.#queries.set(tag, { version: -1 })
    this.#fetch(tag)
  }

  /** Data of which somebody else knows when they were read. */
  hydrate(tag: string, version: number, from: ReadPosition): void {
    if (this.#queries.has(tag)) return
    this.#queries.set(tag, { version })
    this.#attachment.watch([tag], from)
  }

  unmount(tag: string): void {
    if (this.#queries.delete(tag)) this.#attachment.unwatch([tag])
  }

  /** The fetch of a query ends. */
  land(tag: string): void {
    const query = this.#queries.get(tag)
    const fetch = query?.fetch
    if (!query || !fetch) return
    query.version = fetch.version
    query.fetch = undefined
    if (!fetch.wasWatched) this.#attachment.watch([tag], fetch.from)
    if (fetch.isOutdated) this.#fetch(tag)
  }

  landAll(): void {
    for (const tag of this.#queries.keys()) this.land(tag)
  }

  rebind(): void {
    this.#attachment.detach()
    this.#attachment = this.#client.attach(this)
    const { cursor } = this.#attachment.position()
    for (const tag of this.#queries.keys()) this.#attachment.watch([tag], { first: true, cursor })
  }

  onHello(): void {}

  onInvalidate({ tags }: { readonly tags: readonly PlainTag[] }): void {
    for (const tag of tags) this.#invalidate(nameOf(tag))
  }

  onReset(): void {
    for (const tag of this.#queries.keys()) this.#invalidate(tag)
  }

  onMissed(added: readonly PlainTag[], missed: readonly PlainTag[] | 'expired'): void {
    for (const tag of missed === 'expired' ? added : missed) this.#invalidate(nameOf(tag))
  }

  #invalidate(tag: string): void {
    const query = this.#queries.get(tag)
    if (query?.fetch) query.fetch.isOutdated = true
    else if (query) this.#fetch(tag)
  }

  #fetch(tag: string): void {
    const attachment = this.#attachment
    this.#queries.get(tag)!.fetch = {
      version: this.#database.get(tag)!,
      from: attachment.position(),
      wasWatched: attachment.isWatched([tag]),
      isOutdated: false,
    }
  }
}
