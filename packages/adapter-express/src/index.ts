import type { ContextOptions, TagInvalidationSystem } from '@query-tags/server'
import { fromNode, send } from '@query-tags/server/node'
import type { Request, RequestHandler } from 'express'

/**
 * Mounts a system on Express 4 or 5, below any path and in any router. Works before or after `cors()`, `compression()` and
 * `express.json()`; what those do to the response is kept.
 *
 * @param options `context` makes of the request what `resolveScope` gets; it may be left out where the system has no context type.
 *
 * @example
 * ```ts
 * const system = createTagInvalidationSystem({ resolveScope: (ctx: { userId: string }) => ({ kind: 'user', id: ctx.userId }) })
 * app.use('/api/invalidator', createExpressMiddleware(system, { context: (req) => ({ userId: req.user.id }) }))
 * ```
 */
export function createExpressMiddleware<Ctx>(
  system: TagInvalidationSystem<Ctx>,
  ...[options]: ContextOptions<Ctx, [req: Request]>
): RequestHandler {
  return (req, res, next) => {
    // Below a mount Express strips the mount's path from `path`, and a body that was parsed is in `body`.
    const request = fromNode(req, { path: req.path, body: req.body })
    // Without `context` nothing is known of Ctx, so undefined is one.
    system
      .respond(request, () => options?.context?.(req) as Ctx)
      .then((outcome) => {
        send(outcome, res)
      })
      .catch(next)
  }
}
