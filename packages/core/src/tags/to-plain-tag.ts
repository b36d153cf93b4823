import { TAG_PLAIN, type PlainTag, type TagInput } from './tag.ts'
import { toTagKey } from './tag-key.ts'

/**
 * The plain JSON form of anything that can be given as a tag; an uncalled factory or branch becomes what it stands for.
 *
 * @throws {QueryTagsError} `invalid-tag`, naming the value.
 */
export function toPlainTag(input: TagInput): PlainTag {
  const plain = typeof input === 'function' ? (input as { [TAG_PLAIN]?: PlainTag })[TAG_PLAIN] ?? (input as unknown as PlainTag) : input
  toTagKey(plain)
  return plain
}
