import { defineTags } from '@query-tags/core'
import { createRootRoute, createRoute } from '@tanstack/react-router'
import { expectTypeOf, it } from 'vitest'
import '../src/index.ts'

const appTags = defineTags({ todos: { list: () => ['todos'], byId: (id: string) => ['todo', id] } })
const getParentRoute = () => createRootRoute()

it('takes an array of tags, and a function of the match', () => {
  createRoute({ getParentRoute, path: '/a', staticData: { tags: [appTags.todos.list(), appTags.todos, ['raw']] } })
  createRoute({
    getParentRoute,
    path: '/b/$id',
    staticData: {
      tags: ({ params, loaderDeps }) => {
        expectTypeOf(params['id']).toEqualTypeOf<string | undefined>()
        expectTypeOf(loaderDeps).toBeUnknown()
        return [appTags.todos.byId(params['id']!)]
      },
    },
  })
})

it('takes a function that says more of its match', () => {
  const tags = ({ params, loaderDeps }: { params: { id: string }; loaderDeps: { page: number } }) => [
    appTags.todos.byId(params.id),
    ['page', loaderDeps.page] as const,
  ]
  const route = createRoute({ getParentRoute, path: '/c/$id', staticData: { tags } })

  expectTypeOf(route.options.staticData).not.toBeAny()
})

it('refuses what is no tag', () => {
  // @ts-expect-error -- a string is no tag
  createRoute({ getParentRoute, path: '/d', staticData: { tags: ['todos'] } })
})
