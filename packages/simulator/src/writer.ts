import type { Receipt, Scope, TagInput } from '@query-tags/core'
import type { Database, Row } from './database.ts'
import type { Server } from './server.ts'
import type { Sim } from './sim.ts'

/** How long a call may take before whoever made it takes the server for dead. */
const DEAD_MS = 8000
const RETRY_MS = 700

interface Announcement {
  readonly tags: readonly TagInput[]
  readonly scope: Scope | undefined
}

/** The application's own writes: they commit, and then say so, again and again until some server has recorded it. */
export class Writer {
  readonly #sim: Sim
  readonly #database: Database
  readonly #servers: readonly Server[]
  #unannounced = 0

  constructor(sim: Sim, database: Database, servers: readonly Server[]) {
    this.#sim = sim
    this.#database = database
    this.#servers = servers
  }

  /** Changes that are committed but not recorded yet. */
  get unannounced(): number {
    return this.#unannounced
  }

  /** Writes some rows, and announces them after a while. Resolves when that is recorded. */
  async write(rows: readonly Row[], delayMs: number, filler: readonly TagInput[] = []): Promise<readonly Receipt[]> {
    this.#database.write(rows.map(({ id }) => id))
    this.#sim.log(() => `wrote ${JSON.stringify(this.#database.read(rows.map(({ id }) => id)))}`)
    this.#unannounced++
    await this.#sim.pause(this.#sim.world, delayMs)
    const receipts = await Promise.all(this.#toAnnouncements(rows, filler).map((each) => this.#announce(each)))
    this.#unannounced--
    return receipts.flat()
  }

  async #announce(announcement: Announcement): Promise<readonly Receipt[]> {
    for (;;) {
      const receipts = await this.#attempt(this.#sim.random.pick(this.#servers), announcement)
      if (receipts) {
        this.#sim.log(() => `recorded ${JSON.stringify(receipts)}`)
        return receipts
      }
      await this.#sim.pause(this.#sim.world, RETRY_MS)
    }
  }

  /** Resolves with the receipt, if the way it was announced has one, and with `undefined` when it may not be recorded. */
  async #attempt(server: Server, { tags, scope }: Announcement): Promise<readonly Receipt[] | undefined> {
    if (!server.isUp) return undefined
    const { clock, world, random } = this.#sim
    const late = this.#sim.pause(world, DEAD_MS)
    try {
      const invalidate = { tags, ...(scope && { scope }) }
      const recorded = random.chance(0.8)
        ? server.system.invalidateTags(invalidate).then((receipt) => [receipt])
        : server.system.invalidateAfter((say) => {
            say(invalidate)
            return []
          })
      return (await Promise.race([recorded, late])) ?? undefined
    } catch (error) {
      this.#sim.saw('rejected invalidation', `${server.name} at ${clock.now} ${String(error)}`)
      return undefined
    }
  }

  /** One for each scope. */
  #toAnnouncements(rows: readonly Row[], filler: readonly TagInput[]): Announcement[] {
    const scopes = [...new Set(rows.map((row) => row.scope))]
    return scopes.map((scope) => {
      const changed = rows.filter((row) => row.scope === scope)
      return { scope, tags: [...changed.flatMap((row) => this.#database.announce(row, this.#sim.random)), ...filler] }
    })
  }
}
