import { Card } from '@query-tags/example-spa/components/card.tsx'
import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { Hint } from '#/components/hint'
import { notesQuery, summaryQuery, todoQuery, todosQuery } from '#/lib/queries'
import { invalidateExampleServerFn } from '#/lib/server-functions'

export const Route = createFileRoute('/_live/groups')({
  loader: ({ context: { queryClient } }) =>
    Promise.all(
      [todosQuery, summaryQuery, notesQuery, todoQuery('1'), todoQuery('2')].map((query) =>
        queryClient.prefetchQuery(query as typeof todosQuery),
      ),
    ),
  component: Groups,
})

const invalidations = [
  ['list', 'appTags.todos.list()', 'one leaf'],
  ['one', "appTags.todos.byId('1')", 'one instance'],
  ['family', 'appTags.todos.byId', 'every instance'],
  ['group', 'appTags.todos()', 'everything below todos'],
  ['everything', 'appTags()', 'everything'],
  ['raw', "['todo', '2']", 'a raw tag: the same key'],
] as const

function Groups() {
  const summary = useQuery(summaryQuery)
  const queries = [useQuery(todosQuery), useQuery(notesQuery), useQuery(todoQuery('1')), useQuery(todoQuery('2'))]
  return (
    <>
      <Hint title="Groups and wildcards">
        <p>
          Five queries, each with one tag. <b>Invalidate</b> a leaf, an instance, a family or a group, and see at the
          side which of them are fetched.
        </p>
      </Hint>
      <Card
        title="Invalidate"
        query={{ ...summary, isFetching: summary.isFetching || queries.some((query) => query.isFetching) }}
      >
        <ul className="rows">
          {invalidations.map(([name, code, meaning]) => (
            <li key={name} className="row">
              <span className="row-title">
                <code>{code}</code> {meaning}
              </span>
              <button
                className="button"
                aria-label={`Invalidate ${code}`}
                onClick={() => void invalidateExampleServerFn({ data: name })}
              >
                Invalidate
              </button>
            </li>
          ))}
        </ul>
      </Card>
    </>
  )
}
