import { fromRequest, toResponse, type ContextOptions, type TagInvalidationSystem } from '@query-tags/server'
import type { Context, Env, MiddlewareHandler } from 'hono'

/**
 * Mounts a system on Hono 4, below any path, in sub-apps and base paths. Works before or after `cors()` and `compress()`, and after
 * middleware that has read the body through `c.req`; headers that other middleware sets are kept.
 *
 * @param options `context` makes of Hono's context what `resolveScope` gets; it may be left out where the system has no context type.
 *
 * @example
 * ```ts
 * const system = createTagInvalidationSystem({ resolveScope: (ctx: { userId: string }) => ({ kind: 'user', id: ctx.userId }) })
 * app.use('/api/invalidator/*', createHonoMiddleware(system, { context: (c) => ({ userId: c.var.userId }) }))
 * ```
 */
// oxlint-disable-next-line typescript/no-explicit-any -- Hono's own default: variables are known where the app names its Env.
export function createHonoMiddleware<Ctx, E extends Env = any>(
  system: TagInvalidationSystem<Ctx>,
  ...[options]: ContextOptions<Ctx, [c: Context<E>]>
): MiddlewareHandler<E> {
  return async (c) => {
    const { raw } = c.req
    const request = fromRequest(raw, pathBelow(c.req.routePath, c.req.path))
    const outcome = await system.respond(
      // Whoever has read the body through `c.req` has left it there.
      { ...request, readBody: (...limits) => (raw.bodyUsed ? c.req.json() : request.readBody(...limits)) },
      // Without `context` nothing is known of Ctx, so undefined is one.
      () => options?.context?.(c) as Ctx,
    )
    return toResponse(outcome, raw.signal)
  }
}

/** What `*` stands for in the route. Segments are counted, since those before it may be parameters. */
function pathBelow(route: string, path: string): string {
  const base = route.replace(/\/\*$/, '').split('/')
  return path.split('/').slice(base.length).join('/')
}
