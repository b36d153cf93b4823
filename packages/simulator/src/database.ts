import { defineTags, tagsOverlap, type Scope, type TagInput } from '@query-tags/core'
import { SCOPES } from './people.ts'
import type { Random } from './random.ts'

export const tags = defineTags({
  rows: {
    all: () => ['rows'],
    byId: (id: string) => ['row', id],
    pointers: { byId: (id: string) => ['pointer', id] },
  },
  // Not ASCII, so that a chunk can end inside a character.
  raw: { byId: (id: string) => ['zeile-ü', id] },
  own: { byId: (id: string) => ['own', id] },
})

/** What was read, row by row: the version that each had. */
export type Versions = Readonly<Record<string, number>>

type Announcements = readonly (readonly TagInput[])[]

export interface Row {
  readonly id: string
  /** Whose it is; `undefined`: everyone's. */
  readonly scope: Scope | undefined
  readonly tag: TagInput
  /** Ways to say that it changed. Each of them, and of `broad`, hits every query with tags that {@link Database.isTaggedWith} takes. */
  readonly narrow: Announcements
  /** The same, but so that others are hit, too. */
  readonly broad: Announcements
  version: number
}

export const GLOBAL_ROWS = ['g0', 'g1', 'g2', 'g3', 'g4', 'g5', 'g6', 'g7']
const POINTERS = ['p0', 'p1', 'p2']
const RAW_ROWS = ['x0', 'x1', 'x2', 'x3']
/** Rare: whoever is hit by mistake no longer shows what was lost before. */
const BROAD = 0.07

/** Rows with versions. A write adds one; a query that holds less than the latest is out of date. */
export class Database {
  readonly #rows = new Map<string, Row>()

  constructor() {
    for (const id of GLOBAL_ROWS) {
      const tag = tags.rows.byId(id)
      this.#add(id, tag, [[tag, tags.rows.all()]], [[tags.rows.byId, ['rows']], [tags.rows()]])
    }
    for (const id of POINTERS) {
      const tag = tags.rows.pointers.byId(id)
      this.#add(id, tag, [[tag]], [[tags.rows.pointers()], [tags()]])
    }
    for (const id of RAW_ROWS) this.#add(id, tags.raw.byId(id), [[tags.raw.byId(id)], [['zeile-ü', id]]])
    for (const scope of SCOPES) {
      for (const n of [0, 1]) {
        const id = `${scope.id}${n}`
        this.#add(id, tags.own.byId(id), [[tags.own.byId(id)], [['own', id]]], undefined, scope)
      }
    }
  }

  #add(id: string, tag: TagInput, narrow: Announcements, broad: Announcements = narrow, scope?: Scope): void {
    this.#rows.set(id, { id, scope, tag, narrow, broad, version: 0 })
  }

  /** What somebody says who changed a row. */
  announce({ narrow, broad }: Row, random: Random): readonly TagInput[] {
    return random.pick(random.chance(BROAD) ? broad : narrow)
  }

  get ids(): readonly string[] {
    return [...this.#rows.keys()]
  }

  /** The rows that somebody may read who knows these secrets. */
  idsFor(secrets: readonly string[]): readonly string[] {
    return this.ids.filter((id) => !id.startsWith('~') || secrets.some((secret) => id.startsWith(secret)))
  }

  row(id: string): Row {
    return this.#rows.get(id)!
  }

  read(ids: readonly string[]): Versions {
    return Object.fromEntries(ids.map((id) => [id, this.row(id).version]))
  }

  /** The row that a pointer is at, which depends on the pointer's version. */
  target(pointer: string, versions: Versions): string {
    return GLOBAL_ROWS[(versions[pointer]! + POINTERS.indexOf(pointer)) % GLOBAL_ROWS.length]!
  }

  /** Whether an invalidation of the row has to hit a query with these tags. */
  isTaggedWith(id: string, held: readonly TagInput[]): boolean {
    const { narrow, broad } = this.row(id)
    return [...narrow, ...broad].every((said) => said.some((tag) => held.some((other) => tagsOverlap(tag, other))))
  }

  /** Commits a change of some rows. */
  write(ids: readonly string[]): void {
    for (const id of ids) this.row(id).version++
  }

  isCurrent(id: string, version: number): boolean {
    return this.row(id).version === version
  }

  pickRow(random: Random): Row {
    return this.row(random.pick(this.ids))
  }
}
