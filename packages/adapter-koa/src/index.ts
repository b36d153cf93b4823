import type { ContextOptions, TagInvalidationSystem } from '@query-tags/server'
import { fromNode, send } from '@query-tags/server/node'
import type { Context, Middleware } from 'koa'

/**
 * Mounts a system on Koa 2 or 3: on a route of `@koa/router` that ends in `{/*path}`, or with `koa-mount`. Works before or after CORS,
 * compression and body parsers; headers that other middleware has set are kept.
 *
 * @param options `context` makes of Koa's context what `resolveScope` gets; it may be left out where the system has no context type.
 *
 * @example
 * ```ts
 * const system = createTagInvalidationSystem({ resolveScope: (ctx: { userId: string }) => ({ kind: 'user', id: ctx.userId }) })
 * router.all('/api/invalidator{/*path}', createKoaMiddleware(system, { context: (ctx) => ({ userId: ctx.state.user.id }) }))
 * ```
 */
export function createKoaMiddleware<Ctx>(
  system: TagInvalidationSystem<Ctx>,
  ...[options]: ContextOptions<Ctx, [ctx: Context]>
): Middleware {
  return async (ctx) => {
    const body: unknown = (ctx.request as { body?: unknown }).body
    const outcome = await system.respond(
      fromNode(ctx.req, { path: pathBelow(ctx), body }),
      // Without `context` nothing is known of Ctx, so undefined is one.
      () => options?.context?.(ctx) as Ctx,
    )
    // A stream as `ctx.body` would make Koa report an error for every client that leaves.
    ctx.respond = false
    ctx.compress = false
    ignoreLostClients(ctx)
    send(outcome, ctx.res)
  }
}

/** Koa makes an error of the app of what happens to a socket: for every client that leaves while something is being written. */
function ignoreLostClients(ctx: Context): void {
  const report = ctx.onerror.bind(ctx)
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- a method of Koa, no event handler
  ctx.onerror = (error) => {
    if (error !== ctx.req.socket.errored) report(error)
  }
}

/** `koa-mount` strips its path; a router keeps it, and tells what its wildcard stands for. */
function pathBelow(ctx: Context): string {
  const { path, _matchedRoute: route, params } = ctx as RoutedContext
  return typeof route === 'string' && route.endsWith('{/*path}') ? (params?.path ?? '') : path
}

/** What `@koa/router` adds. */
interface RoutedContext {
  readonly path: string
  readonly _matchedRoute?: string | RegExp
  readonly params?: { readonly path?: string }
}
