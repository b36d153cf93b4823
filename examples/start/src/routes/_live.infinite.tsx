import { AddForm } from '@query-tags/example-spa/components/add-form.tsx'
import { Card } from '@query-tags/example-spa/components/card.tsx'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { Hint } from '#/components/hint'
import { addPostMutation } from '#/lib/mutations'
import { postsQuery } from '#/lib/queries'

export const Route = createFileRoute('/_live/infinite')({
  loader: ({ context: { queryClient } }) => queryClient.prefetchInfiniteQuery(postsQuery),
  component: Infinite,
})

function Infinite() {
  const posts = useInfiniteQuery(postsQuery)
  const addPost = useMutation(addPostMutation)
  return (
    <>
      <Hint title="Infinite list">
        <p>
          <b>Load a few pages, then add a post</b>, here or in another window: all loaded pages are fetched again, so
          that none shows a post twice or not at all. A post that comes while a page loads is not lost either.
        </p>
      </Hint>
      <Card title="Posts" query={posts}>
        <AddForm label="New post" placeholder="Write a post" mutation={addPost} />
        <ul className="rows" aria-label="Posts">
          {posts.data?.pages.flatMap((page) =>
            page.posts.map((post) => (
              <li key={post.id} className="row">
                <span className="row-title">{post.text}</span>
              </li>
            )),
          )}
        </ul>
        {posts.hasNextPage && (
          <button className="button" disabled={posts.isFetching} onClick={() => void posts.fetchNextPage()}>
            Load more
          </button>
        )}
      </Card>
    </>
  )
}
