import { TAG_PLAIN, type PlainTag, type TagInput } from './tag.ts'
import { knownForms, toTagForm } from './tag-key.ts'

/**
 * The plain JSON form of anything that can be given as a tag; an uncalled factory or branch becomes what it stands for. The result is a
 * frozen copy in canonical form, so that later changes to the input, and its getters or `-0`, don't matter.
 *
 * @throws {QueryTagsError} `invalid-tag`, naming the value.
 */
export function toPlainTag(input: TagInput): PlainTag {
  const plain = (input as { readonly [TAG_PLAIN]?: PlainTag } | undefined)?.[TAG_PLAIN] ?? (input as PlainTag)
  if (knownForms.has(plain)) return plain
  const form = toTagForm(plain)
  const copy = JSON.parse(form.id, (_name, value: unknown) => Object.freeze(value)) as PlainTag
  knownForms.set(copy, form)
  return copy
}
