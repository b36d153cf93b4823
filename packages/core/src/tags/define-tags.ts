import { invalidTag, pathFault, TAG_PATH, TAG_PLAIN, type JsonValue, type PlainTag, type Tag, type TagGroup, type TagPathCarrier } from './tag.ts'
import { toKeyString, toTagKey } from './tag-key.ts'

type Factory = (...args: never[]) => readonly unknown[]
type ForbiddenName = '' | `${string}.${string}` | '__proto__' | 'then'

/** T itself where it is JSON, otherwise never; interfaces pass (no index signature needed). */
type JsonOf<T> = T extends string | number | boolean | null
  ? T
  : T extends ((...args: never[]) => unknown) | symbol | bigint | undefined
    ? never
    : T extends readonly unknown[] | object
      ? { [K in keyof T]: JsonOf<T[K]> }
      : never

type ValidFactory<F extends Factory> =
  ReturnType<F> extends readonly []
    ? 'a tag key must not be empty'
    : ReturnType<F> extends JsonOf<ReturnType<F>>
      ? F
      : (...args: Parameters<F>) => JsonOf<ReturnType<F>>

/** What `defineTags` accepts: T where it is a valid tree, and a sentence in place of each part that is not. */
export type ValidTagFactoryTree<T> = {
  [K in keyof T]: K extends ForbiddenName
    ? `"${K}" is not a valid tag name`
    : K extends string
      ? T[K] extends Factory
        ? ValidFactory<T[K]>
        : T[K] extends (...args: never[]) => unknown
          ? 'a tag factory returns a non-empty array of JSON values'
          : T[K] extends readonly unknown[]
            ? 'write a function: () => [...]'
            : T[K] extends object
              ? ValidTagFactoryTree<T[K]>
              : 'a tag factory or a branch of them'
      : 'tag names are strings'
}

/** A leaf of the contract. Call it for one tag; use it uncalled for every instance. */
export interface TagFactory<A extends readonly unknown[]> extends TagPathCarrier {
  (...args: A): Tag
}

type Resolve<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => readonly unknown[] ? TagFactory<A> : TagNode<T[K]>
}

/** A branch of the contract: call it for the group of everything below it. */
export type TagNode<T> = (() => TagGroup) & TagPathCarrier & Resolve<T>

/** What `defineTags` returns: the tree, callable at every branch. */
export type ResolvedTagTree<T> = (() => TagGroup) & TagPathCarrier & Resolve<T>

/**
 * Turns a tree of functions into your tag contract. Each leaf makes a tag; each branch, called, is the group of everything below it.
 *
 * A function without required parameters is a constant: it is called once here, and groups above it cover raw tags equal to its key.
 * Names are letters, digits, `_`, `$` and `-`; a path has at most 8 names and 200 characters.
 *
 * @throws {QueryTagsError} `invalid-tag` for a bad name, or a constant that is not a non-empty array of JSON values; the message has the path.
 *
 * @example
 * ```ts
 * const appTags = defineTags({ todos: { list: () => ['todos'], byId: (id: string) => ['todo', id] } })
 * appTags.todos.byId('7') // one tag
 * appTags.todos() // everything below todos
 * appTags.todos.byId // uncalled: every todo
 * ```
 */
export function defineTags<T extends ValidTagFactoryTree<T>>(factories: T): ResolvedTagTree<T> {
  return defineBranch(factories, '').node as ResolvedTagTree<T>
}

type Key = readonly JsonValue[]
/** A part of the tree, and the keys of the constants in it, by canonical form. */
interface Part {
  readonly node: object
  readonly constants: ReadonlyMap<string, Key>
}

function defineBranch(tree: unknown, path: string): Part {
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) {
    throw invalidTag(tree, `"${path}" must be a function that returns an array, or an object of such functions`)
  }
  const constants = new Map<string, Key>()
  const node = (): PlainTag => group
  for (const [name, value] of Object.entries(tree)) {
    const childPath = path === '' ? name : `${path}.${name}`
    const fault = name === '' || name.includes('.') ? 'is empty or has a dot' : pathFault(childPath)
    if (fault !== undefined) throw invalidTag(name, `as the tag name at "${childPath}": the path ${fault}`)
    const child = typeof value === 'function' ? defineLeaf(value as (...args: unknown[]) => Key, childPath) : defineBranch(value, childPath)
    for (const [id, key] of child.constants) constants.set(id, key)
    // defineProperty, because names such as `name` and `length` exist on functions and are read-only there.
    Object.defineProperty(node, name, { value: child.node, enumerable: true })
  }
  const group: TagGroup = { path, keys: sortedKeys(constants) }
  return { node: mark(node, path, group), constants }
}

function defineLeaf(factory: (...args: unknown[]) => Key, path: string): Part {
  const node = (...args: unknown[]): PlainTag => {
    const tag: Tag = { path, key: factory(...args) }
    toTagKey(tag)
    return tag
  }
  const constants = new Map<string, Key>()
  if (factory.length === 0) {
    const { key } = node() as Tag
    constants.set(toKeyString(key), key)
  }
  return { node: mark(node, path, constants.size > 0 ? { path, keys: sortedKeys(constants) } : { path }), constants }
}

function mark(node: object, path: string, plain: PlainTag): object {
  return Object.defineProperties(node, { [TAG_PATH]: { value: path }, [TAG_PLAIN]: { value: plain } })
}

/** In canonical order, so that a group has one canonical form however its tree was written. */
function sortedKeys(constants: ReadonlyMap<string, Key>): readonly Key[] {
  return [...constants].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, key]) => key)
}
