import { QueryTagsError, toTagKey, type PlainTag, type Position } from '@query-tags/core'
import { randomId, type Clock } from '../../clock.ts'
import type { LogEntry, Missed } from '../tag-registry.ts'
import { digest } from './digest.ts'
import { explain } from './permissions.ts'
import type { RedisLink } from './redis-link.ts'
import type { StoreClocks } from './store-clock.ts'

/** Calls for heads that are on their way together, so that there is room for others. */
const MAX_CALLS = 1000

interface ScopeLimits {
  readonly ttlMs: number
  readonly maxTags: number
  readonly maxBytes: number
}

export interface ScopeCallsOptions {
  readonly link: RedisLink
  readonly clock: Clock
  readonly storeClocks: StoreClocks
  readonly prefix: string
  readonly limits: ScopeLimits
}

/** What the script can do, with its arguments and answers. */
export class ScopeCalls {
  readonly #options: ScopeCallsOptions

  constructor(options: ScopeCallsOptions) {
    this.#options = options
  }

  /** Of its data, and of its channel too. The braces keep both in one slot of a cluster. */
  key(scope: string): string {
    return `${this.#options.prefix}{${digest('sha256', scope)}}`
  }

  async record(scope: string, tags: readonly PlainTag[], maxTags?: number): Promise<RecordAnswer> {
    const { link, limits } = this.#options
    const keys = tags.map(toTagKey)
    const bounds = [String(maxTags ?? limits.maxTags), String(limits.maxBytes)]
    const [epoch, seq, raised] = await this.#run([this.key(scope)], 'record', [link.publish, ...bounds, ...keys])
    return { position: readPosition(epoch, seq), hasTrimmed: readNumber(raised) > 0 }
  }

  async since(scope: string, after: Position | { readonly ageMs: number }): Promise<ScopeAnswer> {
    const start = 'epoch' in after ? [after.epoch, after.seq] : ['', Math.ceil(after.ageMs * 1000)]
    const [epoch, top, from, scored] = await this.#run([this.key(scope)], 'since', start.map(String))
    const head = readPosition(epoch, top)
    if (from === undefined) return { head, missed: 'expired' }
    return { head, missed: { from: readPosition(epoch, from), entries: readEntries(scored), head } }
  }

  /** The heads of some scopes, in as many calls as it takes. Never rejects: tells of each call by itself. */
  async heads(scopes: readonly string[], told: HeadsListener): Promise<void> {
    const scopeOf = new Map(scopes.map((scope) => [this.key(scope), scope]))
    const batches = this.#options.link.toBatches([...scopeOf.keys()])
    for (let i = 0; i < batches.length; i += MAX_CALLS) {
      const calls = batches.slice(i, i + MAX_CALLS).map(async (keys) => {
        const asked = keys.map((key) => scopeOf.get(key)!)
        await this.#heads(keys, 'head').then(
          (heads) => asked.forEach((scope, at) => told.resolve(scope, heads[at]!)),
          (error: unknown) => asked.forEach((scope) => told.reject(scope, error)),
        )
      })
      await Promise.all(calls)
    }
  }

  /** Lets the scope begin anew, so that every client is reset. */
  async renew(scope: string): Promise<Position> {
    const [head] = await this.#heads([this.key(scope)], 'renew')
    return head!
  }

  async delete(scope: string): Promise<void> {
    await this.#run([this.key(scope)], 'delete', [])
  }

  async #heads(keys: readonly string[], operation: 'head' | 'renew'): Promise<Position[]> {
    const answer = await this.#run(keys, operation, [])
    return keys.map((_, i) => readPosition(answer[2 * i], answer[2 * i + 1]))
  }

  async #run(keys: readonly string[], operation: string, args: readonly string[]): Promise<unknown[]> {
    const { link, clock, storeClocks, limits } = this.#options
    const sentAt = clock.now()
    try {
      const answer = await link.run(keys, [operation, randomId(clock, 64), String(limits.ttlMs), ...args])
      if (!Array.isArray(answer)) throw unreadable(answer)
      const [time, ...rest] = answer as unknown[]
      // One server answered, so any of its epochs names it.
      if (typeof rest[0] === 'string') storeClocks.of(rest[0]).observe(readNumber(time), sentAt)
      return rest
    } catch (error) {
      throw explain(error)
    }
  }
}

interface RecordAnswer {
  readonly position: Position
  /** The floor was raised. */
  readonly hasTrimmed: boolean
}

interface ScopeAnswer {
  readonly head: Position
  readonly missed: Missed | 'expired'
}

interface HeadsListener {
  resolve(scope: string, head: Position): void
  reject(scope: string, error: unknown): void
}

function readPosition(epoch: unknown, seq: unknown): Position {
  if (typeof epoch !== 'string') throw unreadable(epoch)
  return { epoch, seq: readNumber(seq) }
}

function readEntries(scored: unknown): LogEntry[] {
  if (!Array.isArray(scored)) throw unreadable(scored)
  const entries: { seq: number; tags: PlainTag[] }[] = []
  for (let i = 0; i < scored.length; i += 2) {
    const tag = JSON.parse(String(scored[i])) as PlainTag
    const seq = readNumber(scored[i + 1])
    const last = entries[entries.length - 1]
    if (last?.seq === seq) last.tags.push(tag)
    else entries.push({ seq, tags: [tag] })
  }
  return entries
}

function readNumber(value: unknown): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw unreadable(value)
  return number
}

function unreadable(value: unknown): QueryTagsError {
  return new QueryTagsError('registry-unavailable', `Redis answered what can't be read: ${String(value).slice(0, 100)}`)
}
