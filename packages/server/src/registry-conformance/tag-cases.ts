import assert from 'node:assert/strict'
import type { PlainTag } from '@query-tags/core'
import { entriesOf, hear, listen, SCOPE, sortedKeys } from './checks.ts'
import type { Cases, RegistryUnderTest } from './registry-under-test.ts'

/** Every tag comes back as it was, from the log and to listeners. */
export const tagCases: Cases = {
  'gives back every kind of tag as it was': (under) =>
    giveBack(under, [
      ['todos', null, true, false, 0, -1.5, 1e300, 5, '5', { b: [], a: {} }, [[]]],
      { path: 'todos.byId', key: ['todo', '7'] },
      { path: 'todos', keys: [['todo-count'], ['todos']] },
      { path: '', keys: [] },
      { path: 'todos.byId' },
    ]),

  'gives back every text as it was': (under) =>
    giveBack(under, [
      ['', ' ', '\n\r\0\u2028', 'ü', '"', '\\', "'", '%s', '$1', '{}', ':', '*'],
      ['\u{1f600}', '\u{10ffff}', 'e\u0301', '\uFEFF'],
      ['\ud800'],
      ['\udc00'],
      ['\udc00\ud800'],
      ['__proto__'],
      ['constructor'],
      [{ ['__proto__']: 1 }],
    ]),

  'tells tags apart that differ by type or by normalization only': (under) =>
    giveBack(under, [
      ['5'],
      [5],
      ['null'],
      [null],
      [true],
      ['true'],
      [[]],
      [{}],
      ['é'],
      ['e\u0301'],
      ['\ufffd'],
      ['\ud800'],
    ]),

  'takes a thousand tags in one call': (under) =>
    giveBack(
      under,
      Array.from({ length: 1000 }, (_, i): PlainTag => ['item', i]),
    ),

  'takes 48 KiB of tags of the greatest size in one call': (under) =>
    giveBack(
      under,
      // 48 tags of 1,020 characters each, in canonical form.
      Array.from({ length: 48 }, (_, i): PlainTag => ['x'.repeat(1011), i + 10]),
    ),

  'takes 48 Ki characters that need three bytes each': (under) =>
    giveBack(
      under,
      // 142 tags of 1,019 bytes each, in canonical form.
      Array.from({ length: 142 }, (_, i): PlainTag => ['\u20ac'.repeat(337), i + 100]),
    ),
}

async function giveBack(under: RegistryUnderTest, tags: readonly PlainTag[]): Promise<void> {
  const { registry } = under
  const start = await registry.head(SCOPE)
  const heard = await listen(registry, SCOPE)

  const { seq } = await registry.record(SCOPE, tags)

  assert.deepEqual(entriesOf(await registry.since(SCOPE, start)), [{ seq, keys: sortedKeys(tags) }])
  await hear(under, heard, 1)
  assert.deepEqual(sortedKeys(heard[0]!.tags), sortedKeys(tags))
}
