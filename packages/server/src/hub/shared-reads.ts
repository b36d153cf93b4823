import type { Position, ResetReason } from '@query-tags/core'
import type { TagRegistry } from '../registry/tag-registry.ts'
import type { Audience } from './audience.ts'
import { Invalidation } from './invalidation.ts'

/** Where to read from: a position, or a time ago. */
export type Start = Position | { readonly ageMs: number }

/** What a reader missed, or why that can't be said. */
export type Reading =
  | {
      readonly kind: 'missed'
      readonly from: Position
      /** May begin before `from`: readers share it. */
      readonly entries: readonly Invalidation[]
      readonly head: Position
    }
  | { readonly kind: 'expired'; readonly reason: ResetReason }

interface Request {
  readonly start: Start
  readonly resolve: (reading: Reading) => void
  readonly reject: (error: unknown) => void
}

/**
 * Reads of one scope's log. Whoever asks while a read is under way waits for the next one, which serves all of them from the oldest start:
 * after a restart thousands of clients come back at once. A read that has begun takes nobody in, since it may have looked already.
 */
export class SharedReads {
  readonly #registry: TagRegistry
  readonly #scope: string
  readonly #audience: Audience
  #waiting: Request[] = []
  #running = false

  constructor(registry: TagRegistry, scope: string, audience: Audience) {
    this.#registry = registry
    this.#scope = scope
    this.#audience = audience
  }

  /** Rejects when the registry does. */
  read(start: Start): Promise<Reading> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ start, resolve, reject })
      if (!this.#running) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#waiting.length > 0) {
      const groups = groupStarts(this.#waiting)
      this.#waiting = []
      await Promise.all(groups.map((group) => this.#answer(group)))
    }
    this.#running = false
  }

  /** Answers requests that can be ordered, the oldest start first. */
  async #answer(requests: readonly Request[]): Promise<void> {
    try {
      const oldest = await this.#registry.since(this.#scope, requests[0]!.start)
      if (oldest !== 'expired') {
        this.#settle(requests, oldest)
        return
      }
      const head = await this.#registry.head(this.#scope)
      const possible = requests.filter(({ start, resolve }) => {
        const reason = expiryReason(start, head)
        if (reason !== 'expired') resolve({ kind: 'expired', reason })
        return reason === 'expired'
      })
      await this.#search(possible)
    } catch (error) {
      // Whoever was answered before keeps the answer.
      for (const { reject } of requests) reject(error)
    }
  }

  /** Finds the oldest start that is not below the floor. */
  async #search(requests: readonly Request[]): Promise<void> {
    let [expired, answered] = [0, requests.length]
    let answer: Exclude<Awaited<ReturnType<TagRegistry['since']>>, 'expired'> | undefined
    while (expired < answered) {
      const probe = (expired + answered) >> 1
      const probed = await this.#registry.since(this.#scope, requests[probe]!.start)
      if (probed === 'expired') expired = probe + 1
      else [answer, answered] = [probed, probe]
    }
    for (const { resolve } of requests.slice(0, expired)) resolve({ kind: 'expired', reason: 'expired' })
    if (answer) this.#settle(requests.slice(answered), answer)
  }

  #settle(
    requests: readonly Request[],
    { from, entries, head }: Exclude<Awaited<ReturnType<TagRegistry['since']>>, 'expired'>,
  ): void {
    const missed = entries.map(
      ({ seq, tags }) => new Invalidation(this.#scope, { epoch: head.epoch, seq }, tags, this.#audience),
    )
    for (const { start, resolve } of requests) {
      // guard(shared-ahead): the registry saw the oldest start only, and this one it never gave out, guarantee 3
      if ('seq' in start && start.seq > head.seq) resolve({ kind: 'expired', reason: 'ahead' })
      resolve({ kind: 'missed', from: 'seq' in start ? start : from, entries: missed, head })
    }
  }
}

/**
 * Requests that one read can serve, each group with the oldest first. Positions of one epoch go together. Ages do when they are within a
 * factor of two, since all of them start at the oldest.
 */
function groupStarts(requests: readonly Request[]): Request[][] {
  const groups = new Map<string, Request[]>()
  for (const request of requests) {
    const { start } = request
    const name = 'ageMs' in start ? `age ${Math.ceil(Math.log2(start.ageMs + 1))}` : `epoch ${start.epoch}`
    const group = groups.get(name)
    if (group) group.push(request)
    else groups.set(name, [request])
  }
  return [...groups.values()].map((group) => group.sort((a, b) => newness(a.start) - newness(b.start)))
}

function newness(start: Start): number {
  return 'ageMs' in start ? -start.ageMs : start.seq
}

/** Why a registry says 'expired' of a start when it is at `head`. */
export function expiryReason(start: Start, head: Position): ResetReason {
  if ('ageMs' in start) return 'expired'
  if (start.epoch !== head.epoch) return 'epoch'
  return start.seq > head.seq ? 'ahead' : 'expired'
}
