import assert from 'node:assert/strict'
import { toTagKey, type PlainTag } from '@query-tags/core'
import type { Missed, Recorded, TagRegistry } from '../registry/tag-registry.ts'
import type { RegistryUnderTest } from './registry-under-test.ts'

/** The scope of most cases. */
export const SCOPE = '["project","1"]'

/** What a read must have found. */
export function found(answer: Missed | 'expired'): Missed {
  if (answer === 'expired') assert.fail('the registry answered expired')
  return answer
}

/** The tags of one entry, which have no order among them. */
export function sortedKeys(tags: readonly PlainTag[]): string[] {
  return tags.map(toTagKey).sort()
}

/** An answer in a form that can be compared: tags as sorted strings. */
export function entriesOf(answer: Missed | 'expired'): { seq: number; keys: string[] }[] {
  return found(answer).entries.map(({ seq, tags }) => ({ seq, keys: sortedKeys(tags) }))
}

/** What a listener hears, but for messages without tags, which only say where the head is. */
export async function listen(registry: TagRegistry, scope: string): Promise<Recorded[]> {
  const heard: Recorded[] = []
  await registry.subscribe(scope, (recorded) => {
    if (recorded.tags.length > 0) heard.push(recorded)
  })
  return heard
}

/** Waits until so many messages were heard, or long enough. */
export async function hear(under: RegistryUnderTest, heard: readonly unknown[], count: number): Promise<void> {
  for (let i = 0; heard.length < count && i < 100; i++) await under.elapse(10)
  assert.equal(heard.length, count, 'messages heard')
}
