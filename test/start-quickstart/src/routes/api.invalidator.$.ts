import { createFileRoute } from '@tanstack/react-router'
import { tagInvalidation } from '#/lib/tag-invalidation'

const handler = tagInvalidation.createAPIHandler({
  basePath: '/api/invalidator',
})

async function handle({ request }: { request: Request }) {
  return handler(request)
}

export const Route = createFileRoute('/api/invalidator/$')({
  server: {
    handlers: {
      GET: handle,
      POST: handle,
    },
  },
})
