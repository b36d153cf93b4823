import type { PlainTag } from './tag.ts'
import { toTagForm, type TagForm } from './tag-key.ts'

/** One tag that somebody owns. */
interface Entry<T> {
  readonly form: TagForm
  readonly owners: Set<T>
}

/**
 * Who holds which tags. Answers who is hit by a tag in the size of the answer plus the depth of its path (for a group, plus the keys that it
 * carries). Nothing is scanned, and nothing is left of a tag that lost its last owner.
 *
 * Each tag is filed in several places, and sought in several, such that two tags overlap exactly when one is filed where the other is
 * sought. See {@link filedAt} and {@link soughtAt}.
 *
 * The browser asks it for queries, the server for watchers.
 */
export class TagIndex<T> {
  readonly #entries = new Map<string, Entry<T>>()
  readonly #places = new Map<string, Set<Entry<T>>>()

  /** How many distinct tags are held. */
  get size(): number {
    return this.#entries.size
  }

  /** @throws {QueryTagsError} `invalid-tag`; then nothing was added. */
  add(tag: PlainTag, owner: T): void {
    const form = toTagForm(tag)
    const held = this.#entries.get(form.id)
    if (held) {
      held.owners.add(owner)
      return
    }
    const entry: Entry<T> = { form, owners: new Set([owner]) }
    this.#entries.set(form.id, entry)
    for (const place of filedAt(form)) {
      const entries = this.#places.get(place)
      if (entries) entries.add(entry)
      else this.#places.set(place, new Set([entry]))
    }
  }

  /** Takes a tag from one owner. Returns whether it was the last that held it. */
  delete(tag: PlainTag, owner: T): boolean {
    const entry = this.#entries.get(toTagForm(tag).id)
    if (!entry?.owners.delete(owner) || entry.owners.size > 0) return false
    this.#entries.delete(entry.form.id)
    for (const place of filedAt(entry.form)) {
      const entries = this.#places.get(place)
      entries?.delete(entry)
      if (entries?.size === 0) this.#places.delete(place)
    }
    return true
  }

  /** Every owner of a tag that overlaps one of these. */
  match(tags: Iterable<PlainTag>): Set<T> {
    // A set, because tags that are invalidated together often share their ancestors.
    const places = new Set<string>()
    for (const tag of tags) for (const place of soughtAt(toTagForm(tag))) places.add(place)
    const hit = new Set<T>()
    for (const place of places) {
      for (const { owners } of this.#places.get(place) ?? []) for (const owner of owners) hit.add(owner)
    }
    return hit
  }
}

/** A tag is filed at its keys, `in` every path that it is at or below, and, if it is a subtree, as `all` of its path. */
function filedAt({ keys, path, subtree }: TagForm): string[] {
  const places = [...keys, ...pathsDownTo(path).map((above) => `in ${above}`)]
  if (subtree) places.push(`all ${path}`)
  return places
}

/** The mirror image: who covers a path that the tag is at or below, and, if it is a subtree, who is in its path. */
function soughtAt({ keys, path, subtree }: TagForm): string[] {
  const places = [...keys, ...pathsDownTo(path).map((above) => `all ${above}`)]
  if (subtree) places.push(`in ${path}`)
  return places
}

/** `''`, `'a'` and `'a.b'` for `'a.b'`; nothing for a raw tag, which has no path. */
function pathsDownTo(path: string | undefined): string[] {
  if (path === undefined) return []
  if (path === '') return ['']
  const names = path.split('.')
  return ['', ...names.map((_name, index) => names.slice(0, index + 1).join('.'))]
}
