import { GLOBAL_SCOPE, toScopeId, type Scope } from '@query-tags/core'

/** One thing that the fleet's users look at: an item, as one scope sees it. */
export interface Row {
  readonly scope: number
  readonly item: number
}

/**
 * What the clients show, reduced to a version for each row. A version is raised before its invalidation is sent, so whoever reads after the
 * invalidation was recorded reads it, or a later one.
 */
export class Database {
  readonly items: number
  /** The global scope first. */
  readonly scopes: readonly Scope[]
  readonly scopeIds: readonly string[]
  readonly #versions: Uint32Array
  /** Versions of each row of which the invalidation was acknowledged, ascending. */
  readonly #acknowledged: readonly number[][]

  constructor(items: number, rooms: number) {
    this.items = items
    this.scopes = [GLOBAL_SCOPE, ...Array.from({ length: rooms }, (_, room) => ({ kind: 'room', id: String(room) }))]
    this.scopeIds = this.scopes.map(toScopeId)
    this.#versions = new Uint32Array(items * this.scopes.length)
    this.#acknowledged = Array.from(this.#versions, () => [])
  }

  raise(row: Row): number {
    return ++this.#versions[this.#at(row)]!
  }

  read(row: Row): number {
    return this.#versions[this.#at(row)]!
  }

  acknowledge(row: Row, version: number): void {
    const versions = this.#acknowledged[this.#at(row)]!
    versions.push(version)
    // Two writers may hear of theirs in either order.
    versions.sort((a, b) => a - b)
  }

  /** Whether somebody who holds this version has missed nothing that was acknowledged. */
  isFresh(row: Row, version: number): boolean {
    return (this.#acknowledged[this.#at(row)]!.at(-1) ?? 0) <= version
  }

  /** Acknowledged invalidations that somebody who holds this version has not seen. */
  missed(row: Row, version: number): number {
    return this.#acknowledged[this.#at(row)]!.filter((acknowledged) => acknowledged > version).length
  }

  #at({ scope, item }: Row): number {
    return scope * this.items + item
  }
}
