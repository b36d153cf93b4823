import type { Clock } from '../../clock.ts'
import type { ScopeLog } from '../scope-log.ts'
import type { ScopeLogs } from '../scope-logs.ts'
import { encodeItems, MAX_VALUE_CHARACTERS, type KeyRange } from './layout.ts'
import type { Ownership } from './ownership.ts'
import { yieldTask } from './waiting.ts'

export interface Snapshot {
  /** `null`: there was nothing to write. */
  readonly range: KeyRange | null
  readonly characters: number
}

/**
 * Writes all logs down, part by part, while recording goes on: each scope as it is when its turn comes. Together with every chunk from
 * before the first part on that is complete.
 *
 * @throws {OwnershipLost}
 */
export async function writeSnapshot(
  ownership: Ownership,
  logs: ScopeLogs,
  family: string,
  clock: Clock,
): Promise<Snapshot> {
  let [parts, characters, length] = [0, 0, 0]
  let items: string[] = []
  const flush = async (): Promise<void> => {
    const text = encodeItems(family, parts, items)
    await ownership.putUntilKept(family + parts, text)
    parts++
    characters += text.length
    items = []
    length = 0
    await yieldTask(clock)
  }
  for (const scope of logs.scopes) {
    const log = logs.peek(scope)
    if (!log) continue
    for (const item of toPieces(scope, log)) {
      if (length > 0 && length + item.length > MAX_VALUE_CHARACTERS) await flush()
      items.push(item)
      length += item.length + 1
    }
  }
  if (items.length > 0) await flush()
  return { range: parts === 0 ? null : [family, 0, parts - 1], characters }
}

/** A scope as JSON texts, none of them much longer than a part. All of them show the same moment, also when it takes a while to take them. */
function* toPieces(scope: string, log: ScopeLog): Generator<string> {
  const { epoch, floor, head } = log
  const entries = log.entries()
  // The latest tags were forgotten, but their position was given out.
  if (entries.at(-1)?.seq !== head.seq) entries.push({ seq: head.seq, keys: [] })
  const start = `[${JSON.stringify(scope)},"${epoch}",${floor},[`
  let texts: string[] = []
  let length = start.length
  let isContinued = 0
  for (const { seq, keys } of entries) {
    const text = `[${seq},[${keys.join()}]]`
    if (texts.length > 0 && length + text.length > MAX_VALUE_CHARACTERS) {
      yield `${start}${texts.join()}],${isContinued}]`
      texts = []
      length = start.length
      isContinued = 1
    }
    texts.push(text)
    length += text.length + 1
  }
  yield `${start}${texts.join()}],${isContinued}]`
}
