import type { PlainTag, Position } from '@query-tags/core'

/**
 * What was invalidated when. For each scope a log compacted by tag: recording a tag moves it to the end, and what changed since a position
 * are the entries after it.
 *
 * A scope is named by its identity (`toScopeId`, e.g. `["user","7"]`). Every promise rejects when the answer can't be trusted; the caller
 * then says so to its clients, and nothing is lost. Bring one of your own as the `store` of `createTagInvalidationSystem`; it has to pass
 * the cases of `@query-tags/server/registry-conformance`.
 *
 * - A position is `{ epoch, seq }`. Within an epoch, `seq` strictly increases and is never used twice, not even after a failed write. A
 *   new epoch says that history was lost. `seq = max(last + 1, microseconds of the store's clock)`.
 * - A scope that is missing is created by whoever asks first, by reading too, so there is always a head.
 */
export interface TagRegistry {
  /**
   * Records one invalidation. Atomic, and as durable as this registry gets once it resolves; all tags get the same position.
   * Listeners of the scope hear of it, in this process and in every other.
   *
   * @param tags plain, valid, without doubles, at most 1,000.
   */
  record(scope: string, tags: readonly PlainTag[]): Promise<Position>

  /**
   * What was invalidated after a position, or in the last `ageMs` milliseconds by the store's own clock.
   *
   * `'expired'` whenever that can't be said completely: a position of another epoch, ahead of the head, or below the floor (something newer
   * was trimmed); an age that reaches back before the epoch or the floor. Never a partial list.
   */
  since(scope: string, after: Position | { readonly ageMs: number }): Promise<Missed | 'expired'>

  /**
   * The position of the latest invalidation. The heads of many scopes are asked for in one task, once in a heartbeat each, so that they can
   * share a round trip.
   */
  head(scope: string): Promise<Position>

  /**
   * Calls the listener for each invalidation that is recorded from now on, in order; "now" is when the promise resolves. The listener never
   * throws. Messages may be lost on the way between processes: `prev` shows it, and the listener's owner reads what it missed.
   * A registry that had to subscribe again calls it with the head and no tags, for the same effect.
   *
   * @returns the function that ends the subscription, at once.
   */
  subscribe(scope: string, listener: (recorded: Recorded) => void): Promise<() => void>

  /** Releases what the registry holds. Later calls reject. */
  close(): Promise<void>

  /**
   * For `query_tags_floor_raised_total` of `metrics()`: how many calls in this process made it forget tags that somebody may
   * still have to hear of, i.e. raised a floor or dropped a scope. Only ever grows. Left out when the registry does not know.
   */
  readonly floorRaisedCount?: number | undefined
}

/** One invalidation, as a listener hears of it. */
export interface Recorded {
  readonly epoch: string
  /** `seq` of the invalidation before this one in the scope. */
  readonly prev: number
  readonly seq: number
  readonly tags: readonly PlainTag[]
}

/** Tags whose latest invalidation has this `seq`. */
export interface LogEntry {
  readonly seq: number
  readonly tags: readonly PlainTag[]
}

/** The answer of {@link TagRegistry.since}. */
export interface Missed {
  /** The position that was asked for; for an age the position it stands for, never ahead of `head`. */
  readonly from: Position
  /** Everything after `from`, ascending by `seq`. */
  readonly entries: readonly LogEntry[]
  /** The latest position at the time of reading: nothing up to here is missing in `entries`. */
  readonly head: Position
}

/** Whether a value has the methods of a registry. */
export function isTagRegistry(value: unknown): value is TagRegistry {
  if (typeof value !== 'object' || value === null) return false
  const methods = ['record', 'since', 'head', 'subscribe', 'close']
  return methods.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
}
