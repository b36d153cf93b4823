import { fromScopeId, type PlainTag, type TagGroup } from '@query-tags/core'
import { Channel, type ChannelHost } from './channel.ts'
import type { IsDue } from './heartbeat.ts'
import type { Invalidation } from './invalidation.ts'
import { Watcher, type Member } from './watcher.ts'

/** Identity of the log that disconnects are recorded in. `toScopeId` makes none like it, so nobody can be in this scope. */
const LOG = '["global",null,"disconnects"]'
/** Path of its tags; they never leave the server. */
const PATH = 'disconnect'

/** What a caller is being let in for, from before the application is asked until the connection has its place. */
export interface Admission {
  /** Whether one of these scopes was disconnected since it began, or may have been. */
  isRevoked(scopes: readonly string[]): boolean
  /** To be called once, whatever came of it. */
  end(): void
}

export interface DisconnectsOptions extends ChannelHost {
  /** Ends the streams in a scope; without one, all of them. */
  readonly end: (scope?: string) => void
}

/**
 * Follows who was disconnected. All disconnects are in one log of their own, which a process listens to from before it lets anybody in: so
 * each one is either heard during an admission or after it, whoever recorded it, and no clocks have to be compared. (In the log of the scope
 * itself a process could not tell what came before it had ever listened there from what came since it asked the application.)
 */
export class Disconnects implements Member {
  readonly watchers: ReadonlyMap<string, Watcher> = new Map([['all', new Watcher(this, '*')]])
  readonly #options: DisconnectsOptions
  readonly #channel: Channel
  readonly #admissions = new Set<{ readonly scopes: Set<string>; isDoubtful: boolean }>()
  #hasUnheard = false

  constructor(options: DisconnectsOptions) {
    this.#options = options
    this.#channel = new Channel(LOG, options)
    this.#channel.join(this)
  }

  /** Rejects when the registry does; the streams of this process are ended all the same. */
  async record(scope: string): Promise<void> {
    try {
      await this.#options.registry.record(LOG, [toTag(scope)])
    } catch (error) {
      this.#end(scope)
      throw error
    }
  }

  async begin(): Promise<Admission> {
    try {
      // guard(listen-first): what is disconnected before this process listens could not be told from what was never there, guarantee 11
      await this.#channel.ready()
    } catch (error) {
      // Without a registry clients are let in to wait for it. When it is back, they have to come anew.
      this.#hasUnheard = true
      this.#options.reporter.report(error, 'registry')
    }
    const admission = { scopes: new Set<string>(), isDoubtful: false }
    this.#admissions.add(admission)
    return {
      isRevoked: (scopes) => admission.isDoubtful || scopes.some((scope) => admission.scopes.has(scope)),
      end: () => {
        this.#admissions.delete(admission)
      },
    }
  }

  /** Finds what was lost on the way here. Called with each heartbeat. */
  async verify(isDue: IsDue): Promise<void> {
    if (!isDue(this.#channel)) return
    await this.#channel.verify()
    if (!this.#hasUnheard || !this.#channel.verified) return
    this.#hasUnheard = false
    this.#endAll()
  }

  deliver(_: Channel, { tags }: Pick<Invalidation, 'tags'>): void {
    for (const tag of tags) this.#end(toScope(tag))
  }

  /** What was disconnected meanwhile is not known. */
  reset(): void {
    // guard(doubtful-disconnect): a log that was lost may have held a disconnect of anybody, guarantee 11
    this.#endAll()
  }

  close(): void {
    this.#channel.close()
  }

  #end(scope: string): void {
    for (const { scopes } of this.#admissions) scopes.add(scope)
    this.#options.end(scope)
  }

  #endAll(): void {
    for (const admission of this.#admissions) admission.isDoubtful = true
    this.#options.end()
  }
}

/** As a group, whose keys may be as long as an identity; a raw tag's may not. */
function toTag(scope: string): PlainTag {
  const { kind, id } = fromScopeId(scope)
  return { path: PATH, keys: [[kind, id ?? null]] }
}

function toScope(tag: PlainTag): string {
  return JSON.stringify(Array.isArray(tag) || !('keys' in tag) ? null : (tag as TagGroup).keys[0])
}
