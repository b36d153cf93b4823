import type { TagInput } from '@query-tags/core'

/** What the tags of a route may depend on. */
export interface TaggedRouteMatch {
  readonly params: Readonly<Record<string, string>>
  readonly loaderDeps?: unknown
}

// A method, so that a route may say more exactly what its params and loaderDeps are.
type TagsOfMatch = { of(match: TaggedRouteMatch): readonly TagInput[] }['of']

// The compiler of an app that has no router would miss the module; only a JSDoc comment is still there when it reads this.
/** @ts-ignore */
declare module '@tanstack/react-router' {
  interface StaticDataRouteOption {
    /**
     * What the loader's data were made from: the loader runs again when the server says that one of these tags changed. An array, or a
     * function of the match; annotate its parameter when params are parsed, or for loaderDeps. Needs `router` on `TagInvalidationProvider`.
     *
     * @example
     * ```ts
     * staticData: { tags: ({ params }) => [appTags.todos.byId(params.id)] }
     * ```
     */
    tags?: readonly TagInput[] | TagsOfMatch
  }
}
