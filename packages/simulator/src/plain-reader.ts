import { decodeFrame, TagIndex, toPlainTag, type PlainTag } from '@query-tags/core'
import { Process } from './clock.ts'
import type { Database } from './database.ts'
import type { Network, Peer } from './network.ts'
import type { User } from './people.ts'
import type { Server } from './server.ts'
import type { Sim } from './sim.ts'

const BASE = 'http://app.test/api/invalidator'
const RETRY_MS = 2000

/**
 * A program without our client, which reads the stream of everything as `EventSource` does: it resumes with the last event ID, and reads a
 * row again whenever an invalidation or a reset says so. Its copy has to become equal to the database.
 */
export class PlainReader implements Peer {
  readonly name: string
  readonly process: Process
  readonly user: User | undefined
  readonly isNewer = false
  server: Server
  readonly #sim: Sim
  readonly #database: Database
  readonly #fetch: typeof globalThis.fetch
  readonly #rows = new TagIndex<string>()
  readonly #copy = new Map<string, number>()
  readonly #silenceMs: number
  #lastEventId = ''
  #abort = new AbortController()
  #isClosed = false

  constructor(sim: Sim, network: Network, database: Database, name: string, server: Server, user: User | undefined) {
    this.#sim = sim
    this.#database = database
    this.#fetch = network.fetch(this)
    this.name = name
    this.process = new Process(name)
    this.server = server
    this.user = user
    this.#silenceMs = server.heartbeatMs * 3
    for (const id of database.idsFor([])) this.#rows.add(toPlainTag(database.row(id).tag), id)
    sim.clock.after(this.process, 0, () => void this.#connect())
  }

  /** Rows of its copy that are out of date. */
  outdated(): readonly string[] {
    return [...this.#copy].filter(([id, version]) => !this.#database.isCurrent(id, version)).map(([id]) => id)
  }

  close(): void {
    this.#isClosed = true
    this.#abort.abort()
    this.#sim.clock.kill(this.process)
  }

  async #connect(): Promise<void> {
    this.#abort = new AbortController()
    const resumes = this.#lastEventId !== ''
    const cancel = this.#watch()
    try {
      const response = await this.#fetch(BASE, {
        headers: { authorization: this.user ?? 'nobody', ...(resumes && { 'last-event-id': this.#lastEventId }) },
        signal: this.#abort.signal,
      })
      cancel()
      if (response.ok && response.body) await this.#read(response.body, resumes)
    } catch (error) {
      cancel()
      this.#sim.log(`${this.name} stops: ${String(error)}`)
    }
    if (!this.#isClosed) this.#sim.clock.after(this.process, RETRY_MS, () => void this.#connect())
  }

  async #read(body: ReadableStream<Uint8Array>, resumes: boolean): Promise<void> {
    const decoder = new TextDecoder()
    let rest = ''
    let cancel = this.#watch()
    try {
      for await (const bytes of body) {
        cancel()
        cancel = this.#watch()
        rest += decoder.decode(bytes, { stream: true })
        const events = rest.split('\n\n')
        rest = events.pop()!
        for (const event of events) this.#apply(event, resumes)
      }
    } finally {
      cancel()
    }
  }

  /** Gives up a stream that stays silent. */
  #watch(): () => void {
    return this.#sim.clock.after(this.process, this.#silenceMs, () => this.#abort.abort())
  }

  #apply(text: string, resumes: boolean): void {
    const fields = new Map(text.split('\n').map((line) => line.split(/: (.*)/s) as [string, string]))
    const frame = decodeFrame(fields.get('event') ?? '', fields.get('data') ?? '')
    if (frame?.event === 'hello') {
      this.#sim.saw(resumes ? 'resume by last event ID' : 'plain stream')
      // From now on: whatever was before has to be read now. A resumed stream replays it.
      if (!resumes) this.#readAgain('*')
    } else if (frame?.event === 'invalidate') {
      this.#readAgain(frame.data.tags)
    } else if (frame?.event === 'reset') {
      this.#readAgain('*')
    }
    // After the effects, as its cursor.
    this.#lastEventId = fields.get('id') ?? this.#lastEventId
  }

  #readAgain(tags: readonly PlainTag[] | '*'): void {
    const ids = tags === '*' ? this.#database.idsFor([]) : this.#rows.match(tags)
    for (const id of ids) this.#copy.set(id, this.#database.row(id).version)
  }
}
