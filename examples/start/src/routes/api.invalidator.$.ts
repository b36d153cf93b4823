import { createFileRoute } from '@tanstack/react-router'
import { type Caller, tagInvalidation } from '#/lib/tag-invalidation'
import { withSession } from '#/lib/with-session'

const handler = tagInvalidation.createAPIHandler({
  basePath: '/api/invalidator',
  context: (_request, caller: Caller) => caller,
})

/** The context is what the middleware made: it is told to `resolveScope`. */
async function handle({ request, context }: { request: Request; context: Caller }) {
  return handler(request, context)
}

export const Route = createFileRoute('/api/invalidator/$')({
  server: {
    middleware: [withSession],
    handlers: {
      GET: handle,
      POST: handle,
    },
  },
})
