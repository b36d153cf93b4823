import { tagShape } from './overlap.ts'
import type { PlainTag } from './tag.ts'
import { toTagKey } from './tag-key.ts'

/** One tag that somebody owns. */
interface Entry<T> {
  readonly owners: Set<T>
}

interface PathNode<T> {
  readonly children: Map<string, PathNode<T>>
  /** Groups and families at exactly this path, and instances of this leaf, each by canonical form. */
  readonly subtrees: Map<string, Entry<T>>
  readonly instances: Map<string, Entry<T>>
}

/**
 * Who holds which tags. Answers who is hit by a tag in the size of the answer plus the depth of its path: by key, by the ancestors of its
 * path, and for a group by everything below it. Nothing is scanned.
 *
 * The browser asks it for queries, the server for watchers.
 */
export class TagIndex<T> {
  readonly #entries = new Map<string, Entry<T>>()
  readonly #byKey = new Map<string, Set<Entry<T>>>()
  readonly #root: PathNode<T> = newNode()

  /** How many distinct tags are held. */
  get size(): number {
    return this.#entries.size
  }

  add(tag: PlainTag, owner: T): void {
    const id = toTagKey(tag)
    const existing = this.#entries.get(id)
    if (existing) {
      existing.owners.add(owner)
      return
    }
    const entry: Entry<T> = { owners: new Set([owner]) }
    this.#entries.set(id, entry)
    const { path, subtree, keys } = tagShape(tag)
    for (const key of keys) {
      const sharing = this.#byKey.get(key)
      if (sharing) sharing.add(entry)
      else this.#byKey.set(key, new Set([entry]))
    }
    if (path === undefined) return
    let node = this.#root
    for (const name of namesOf(path)) {
      let child = node.children.get(name)
      if (!child) node.children.set(name, (child = newNode()))
      node = child
    }
    ;(subtree ? node.subtrees : node.instances).set(id, entry)
  }

  delete(tag: PlainTag, owner: T): void {
    const id = toTagKey(tag)
    const entry = this.#entries.get(id)
    if (!entry?.owners.delete(owner) || entry.owners.size > 0) return
    this.#entries.delete(id)
    const { path, keys } = tagShape(tag)
    for (const key of keys) {
      const sharing = this.#byKey.get(key)
      sharing?.delete(entry)
      if (sharing?.size === 0) this.#byKey.delete(key)
    }
    if (path !== undefined) prune(this.#root, namesOf(path), 0, id)
  }

  /** Every owner of a tag that overlaps one of these. */
  match(tags: Iterable<PlainTag>): Set<T> {
    const hit = new Set<T>()
    for (const tag of tags) {
      const { path, subtree, keys } = tagShape(tag)
      for (const key of keys) for (const entry of this.#byKey.get(key) ?? []) addAll(hit, entry.owners)
      if (path === undefined) continue
      let node: PathNode<T> | undefined = this.#root
      collect(hit, node.subtrees)
      for (const name of namesOf(path)) {
        node = node.children.get(name)
        if (!node) break
        collect(hit, node.subtrees)
      }
      if (subtree && node) collectBelow(hit, node)
    }
    return hit
  }
}

function newNode<T>(): PathNode<T> {
  return { children: new Map(), subtrees: new Map(), instances: new Map() }
}

function namesOf(path: string): string[] {
  return path === '' ? [] : path.split('.')
}

/** Removes an entry and every node that it leaves empty, so that a walk below a group meets only answers. */
function prune<T>(node: PathNode<T>, names: readonly string[], depth: number, id: string): boolean {
  const name = names[depth]
  if (name === undefined) {
    node.subtrees.delete(id)
    node.instances.delete(id)
  } else {
    const child = node.children.get(name)
    if (child && prune(child, names, depth + 1, id)) node.children.delete(name)
  }
  return node.children.size === 0 && node.subtrees.size === 0 && node.instances.size === 0
}

function collectBelow<T>(hit: Set<T>, node: PathNode<T>): void {
  collect(hit, node.subtrees)
  collect(hit, node.instances)
  for (const child of node.children.values()) collectBelow(hit, child)
}

function collect<T>(hit: Set<T>, entries: ReadonlyMap<string, Entry<T>>): void {
  for (const entry of entries.values()) addAll(hit, entry.owners)
}

function addAll<T>(hit: Set<T>, owners: ReadonlySet<T>): void {
  for (const owner of owners) hit.add(owner)
}
