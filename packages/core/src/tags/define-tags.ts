import { isPlainObject } from '../json.ts'
import {
  invalidTag,
  isTagName,
  PATH_RULE,
  TAG_PATH,
  TAG_PLAIN,
  type JsonValue,
  type PlainTag,
  type Tag,
  type TagFamily,
  type TagGroup,
  type TagPathCarrier,
} from './tag.ts'
import { toPlainTag } from './to-plain-tag.ts'

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
 * Turns a tree of functions into your tag contract. Each leaf makes a tag; each branch, called, is the group of everything below it. Tags and
 * groups are frozen plain JSON.
 *
 * A function without required parameters is a constant: it is called once here, and groups above it cover raw tags equal to its key.
 * Names are letters, digits, `_`, `$` and `-`; a path has at most 8 names and 200 characters.
 *
 * @throws {QueryTagsError} `invalid-tag` for a bad name, for a part that is neither a function nor a branch, for a constant that is not a
 * non-empty array of JSON values, and for a branch whose constants together are over 16 KiB. The message has the path.
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
/** A part of the tree, and the keys of the constants in it. */
interface Part {
  readonly node: object
  readonly keys: readonly Key[]
}

function defineBranch(tree: unknown, path: string): Part {
  if (!isPlainObject(tree)) throw invalidTag(tree, `"${path}" must be a function or an object of functions`)
  const node = (): PlainTag => group
  const keys: Key[] = []
  for (const [name, value] of Object.entries(tree)) {
    const childPath = path === '' ? name : `${path}.${name}`
    if (!isTagName(name)) throw invalidTag(name, `${PATH_RULE} (at "${childPath}")`)
    const child =
      typeof value === 'function'
        ? defineLeaf(value as (...args: unknown[]) => Key, childPath)
        : defineBranch(value, childPath)
    keys.push(...child.keys)
    // defineProperty, because names such as `name` and `length` exist on functions and are read-only there.
    Object.defineProperty(node, name, { value: child.node, enumerable: true })
  }
  const group = mark(node, { path, keys })
  return { node, keys }
}

function defineLeaf(factory: (...args: unknown[]) => Key, path: string): Part {
  const node = (...args: unknown[]): PlainTag => toPlainTag({ path, key: factory(...args) })
  const keys = factory.length === 0 ? [(node() as Tag).key] : []
  mark(node, keys.length > 0 ? { path, keys } : { path })
  return { node, keys }
}

/** Says what a node stands for when it is not called. */
function mark(node: object, standsFor: TagGroup | TagFamily): PlainTag {
  const plain = toPlainTag(standsFor)
  Object.freeze(Object.assign(node, { [TAG_PATH]: standsFor.path, [TAG_PLAIN]: plain }))
  return plain
}
