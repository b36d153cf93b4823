import {
  formatPosition,
  parsePosition,
  TagIndex,
  toTagKey,
  type PlainTag,
  type WatchAnswer,
  type WatchRequest,
} from '@query-tags/core'
import type { Limits } from '../limits.ts'
import { MAX_REPLAY_BYTES, MAX_REPLAY_TAGS, type Channel } from './channel.ts'
import type { Connection } from './connection.ts'
import type { Invalidation } from './invalidation.ts'
import type { Watcher } from './watcher.ts'

/**
 * Applies a watch request and finds out what the added tags missed.
 *
 * @param report Hears of a registry that can't be read. What the tags missed is not known then, and whoever watches them has to fetch: that is
 * sooner than the registry may be back, and what comes after is told on the stream.
 * @returns `'too-large'` when the list would exceed its limits, and nothing was changed; `'not-here'` when the connection ended meanwhile.
 */
export async function answerWatch(
  connection: Connection,
  request: WatchRequest,
  limits: Limits,
  report: (error: unknown) => void,
): Promise<WatchAnswer | 'too-large' | 'not-here'> {
  if (!connection.watchers.has(request.watcher) && connection.watchers.size >= limits.maxWatchers) return 'too-large'
  const watcher = connection.watcher(request.watcher)
  if (exceeds(watcher, request, limits)) return 'too-large'
  // guard(add-before-read): what is invalidated during the read must come on the stream, or nobody tells of it, guarantee 1
  applyChange(connection, watcher, request)
  const missed = await readMissed(connection, request).catch((error: unknown) => {
    report(error)
    return 'expired' as const
  })
  if (connection.isOver) return 'not-here'
  const { n } = request
  if (missed === 'expired') return { n, expired: true }
  if (missed.length === 0) return { n, tags: [] }
  return { n, tags: missed.map(({ tag }) => tag), at: missed.map(({ at }) => at) }
}

function applyChange(connection: Connection, watcher: Watcher, { n, add, remove }: WatchRequest): void {
  // guard(seen-number): a late copy of an old request would remove a tag that was added since, guarantee 1
  if (n <= watcher.lastN) return
  watcher.lastN = n
  if (watcher.everything) return
  for (const tag of remove) {
    if (watcher.delete(tag)) for (const channel of connection.channels) channel.audience.deleteTag(tag, watcher)
  }
  // Last, so that a tag in both lists is watched.
  for (const tag of add) {
    if (watcher.add(tag)) for (const channel of connection.channels) channel.audience.addTag(tag, watcher)
  }
}

function exceeds(watcher: Watcher, { n, add, remove }: WatchRequest, limits: Limits): boolean {
  if (watcher.everything || n <= watcher.lastN) return false
  const removed = new Set(remove.map(toTagKey))
  const added = new Set(add.map(toTagKey))
  let [count, size] = [watcher.tags.size, watcher.size]
  for (const key of removed) if (watcher.tags.has(key)) [count, size] = [count - 1, size - key.length]
  for (const key of added)
    if (!watcher.tags.has(key) || removed.has(key)) [count, size] = [count + 1, size + key.length]
  return count > limits.maxWatchedTags || size > limits.maxWatchedBytes
}

/** A tag that overlaps an added one, and where it was invalidated last in each scope. */
interface Missed {
  readonly tag: PlainTag
  readonly at: { [scopeId: string]: string }
}

/** What was invalidated since, in any scope of the connection. */
async function readMissed(connection: Connection, { add, from }: WatchRequest): Promise<readonly Missed[] | 'expired'> {
  if (add.length === 0) return []
  const added = new TagIndex<true>()
  for (const tag of add) added.add(tag, true)
  const missed = new Map<string, Missed>()
  const readings = await Promise.all(connection.channels.map((channel) => readScope(channel, from[channel.scope])))
  let size = 0
  for (const [i, entries] of readings.entries()) {
    if (entries === 'expired') return 'expired'
    const { scope } = connection.channels[i]!
    // Ascending, so that the last place of a tag stays.
    for (const { at, tags } of entries) {
      for (const tag of tags) {
        const key = toTagKey(tag)
        let entry = missed.get(key)
        if (!entry) {
          if (added.match([tag]).size === 0) continue
          missed.set(key, (entry = { tag, at: {} }))
          size += key.length
          if (missed.size > MAX_REPLAY_TAGS || size > MAX_REPLAY_BYTES) return 'expired'
        }
        entry.at[scope] = formatPosition(at)
      }
    }
  }
  return [...missed.values()]
}

async function readScope(channel: Channel, from: string | undefined): Promise<readonly Invalidation[] | 'expired'> {
  const position = parsePosition(from)
  // Without a position anything may have been missed.
  if (!position) return 'expired'
  await channel.ready()
  const reading = await channel.read(position)
  if (reading.kind === 'expired') return 'expired'
  return reading.entries.filter(({ at }) => at.seq > position.seq)
}
