import type { Clock } from '../../clock.ts'
import type { Listeners } from '../listeners.ts'
import { ScopeLogs, type RegistryLimits } from '../scope-logs.ts'
import { closeGeneration, readGeneration, type Generation } from './generations.ts'
import { HistoryLost, loadHistory, type LoadedHistory } from './history.ts'
import type { KeyvAccess } from './keyv-access.ts'
import {
  claimKey,
  encodeClaim,
  encodeHead,
  FORMAT,
  formatOf,
  headKeys,
  logFamily,
  parseBeat,
  parseHead,
  snapshotFamily,
  type Head,
  type KeyRange,
  type ProcessIdentity,
} from './layout.ts'
import { Ownership, OwnershipLost } from './ownership.ts'

export interface TakeOverOptions {
  readonly access: KeyvAccess
  readonly clock: Clock
  readonly listeners: Listeners
  readonly limits: RegistryLimits
  readonly process: ProcessIdentity
  /** Who it will be, at another time never the same. */
  readonly owner: string
  readonly report: (error: unknown) => void
}

/** What a new owner begins with. */
export interface TakenOver {
  readonly ownership: Ownership
  readonly logs: ScopeLogs
  readonly head: Head
  /** Length of the chunks that came after the snapshot. */
  readonly logCharacters: number
}

/**
 * Makes this process the owner of the generation after the latest, and loads what was recorded before. `undefined`: another process was
 * faster.
 *
 * The order is what makes it safe, see ARCHITECTURE.md: claim, look whether anybody else did, close what was before, read it, and only then
 * write a head of its own.
 */
export async function takeOver(
  generations: readonly Generation[],
  options: TakeOverOptions,
): Promise<TakenOver | undefined> {
  const { access, clock, owner, report } = options
  const generation = (generations[0]?.number ?? 0) + 1
  const claim = encodeClaim(owner, options.process)
  // Once only: a second attempt that arrives late could undo somebody's closing it.
  await access.set(claimKey(generation), claim)
  if (!(await isAlone(access, generation, claim))) return undefined
  const ownership = new Ownership({ access, clock, generation, owner, claim, report })
  try {
    await ownership.beat()
    const base = await closeAll(access, generations)
    const loaded = await load(base, options)
    const { head, logs, logCharacters } = loaded
    // Once more, so as not to write over the head of whoever was faster.
    await ownership.verify()
    await ownership.put(headKeys(generation)[0], encodeHead(head))
    return { ownership, logs, head, logCharacters }
  } catch (error) {
    if (error instanceof OwnershipLost) return undefined
    // What the store may still get of it says that nobody is there.
    await ownership.release().catch(report)
    throw error
  }
}

/** Whether the claim stands, and nobody had this generation before or has the next one. */
async function isAlone(access: KeyvAccess, generation: number, claim: string): Promise<boolean> {
  const [own, next, ...heads] = await access.getMany([
    claimKey(generation),
    claimKey(generation + 1),
    ...headKeys(generation),
  ])
  if (own === undefined) throw new Error(`The store did not keep ${claimKey(generation)}`)
  // guard(claimed-alone): of two processes that claim at once, each would be sure that it is the owner, guarantee 2
  if (own !== claim || next !== undefined || heads.some((head) => head !== undefined)) return false
  return true
}

/** Closes generations from the latest down to the first that has a history, and returns that one as it is then. */
async function closeAll(access: KeyvAccess, generations: readonly Generation[]): Promise<Generation | undefined> {
  for (const generation of generations) {
    await closeGeneration(access, generation)
    // Read anew: until it was closed its owner may have gone on.
    const closed = await readGeneration(access, generation.number)
    if (closed.heads.length > 0) return closed
  }
  return undefined
}

async function load(base: Generation | undefined, options: TakeOverOptions): Promise<Omit<TakenOver, 'ownership'>> {
  const { clock, limits, listeners, owner, report } = options
  const fresh = { owner, version: 0, snapshot: null, snapshotCharacters: 0, segments: [], firstChunk: 1, garbage: [] }
  const begin = (): ScopeLogs => new ScopeLogs(limits, clock, listeners)
  if (!base) return { logs: begin(), head: fresh, logCharacters: 0 }
  const head = latestHead(base)
  if (head === 'unreadable') {
    report(new HistoryLost(describeUnreadable(base)))
    return { logs: begin(), head: fresh, logCharacters: 0 }
  }
  const garbage: KeyRange[] = [
    ...head.garbage,
    // A snapshot that was begun and not finished.
    [snapshotFamily(head.owner, head.version + 1), 0, null],
    [`head.${base.number}.`, 0, 1],
    ['beat.', base.number, base.number],
  ]
  const own = logFamily(head.owner)
  try {
    const logs = begin()
    const { lastChunk, logCharacters } = await loadChecked(base, head, options, logs)
    const { snapshot, snapshotCharacters } = head
    // From here on it ends there, whatever still arrives late.
    const segments: KeyRange[] = [...head.segments]
    if (lastChunk >= head.firstChunk) segments.push([own, head.firstChunk, lastChunk])
    garbage.push([own, lastChunk + 1, lastChunk + 1])
    return { logs, logCharacters, head: { ...fresh, snapshot, snapshotCharacters, segments, garbage } }
  } catch (error) {
    if (!(error instanceof HistoryLost)) throw error
    report(error)
    if (head.snapshot) garbage.push(head.snapshot)
    garbage.push(...head.segments, [own, head.firstChunk, null])
    return { logs: begin(), head: { ...fresh, garbage }, logCharacters: 0 }
  }
}

async function loadChecked(
  base: Generation,
  head: Head,
  { access, clock }: TakeOverOptions,
  logs: ScopeLogs,
): Promise<LoadedHistory> {
  const beat = parseBeat(base.beat ?? '')
  // guard(one-owner): when several seem to have had it, nobody knows whose records were acknowledged, guarantee 3
  if (base.claim.owner !== head.owner || beat?.owner !== head.owner) {
    throw new HistoryLost(`Generation ${base.number} has traces of more than one owner`)
  }
  return loadHistory(access, clock, logs, head, beat?.chunk ?? 0)
}

function latestHead({ heads }: Generation): Head | 'unreadable' {
  let latest: Head | 'unreadable' = 'unreadable'
  for (const text of heads) {
    const head = parseHead(text)
    if (head !== 'unreadable' && (latest === 'unreadable' || head.version > latest.version)) latest = head
  }
  return latest
}

function describeUnreadable({ number, heads }: Generation): string {
  const format = heads.map(formatOf).find((each) => each !== undefined && each !== FORMAT)
  if (format === undefined) return `The head of generation ${number} is damaged; clients that come back are reset once`
  return `The store was written in format ${format} by another version of @query-tags/server, this one knows ${FORMAT}. Its data are left alone, and clients that come back are reset once`
}
