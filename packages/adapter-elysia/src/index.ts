import { fromRequest, toResponse, type ContextOptions, type TagInvalidationSystem } from '@query-tags/server'
import { Elysia, type Context } from 'elysia'

export interface ElysiaPluginOptions {
  /**
   * The path that the system is mounted at, below the prefix of the app that uses the plugin, if it has one.
   * @default '/api/invalidator'
   */
  readonly prefix?: string
}

/**
 * Mounts a system on Elysia 1, on Bun, Node or wherever Elysia runs. Headers that other plugins set are kept. When the app stops, the
 * system is closed.
 *
 * @param options `context` makes of Elysia's context what `resolveScope` gets; it may be left out where the system has no context type.
 * Annotate its parameter with what `derive` or `resolve` has added.
 *
 * @example
 * ```ts
 * const system = createTagInvalidationSystem({ resolveScope: (ctx: { userId: string }) => ({ kind: 'user', id: ctx.userId }) })
 * new Elysia()
 *   .derive(({ headers }) => ({ userId: userIdOf(headers) }))
 *   .use(createElysiaPlugin(system, { prefix: '/api/invalidator', context: ({ userId }: { userId: string }) => ({ userId }) }))
 * ```
 */
export function createElysiaPlugin<Ctx, Native = Context>(
  system: TagInvalidationSystem<Ctx>,
  ...[options]: ContextOptions<Ctx, [context: Native], ElysiaPluginOptions>
): Elysia {
  const handle = async (native: Context): Promise<Response> => {
    // Elysia reads this source, and puts into the context what it sees used: the last three are for `context` only.
    const { request, params, body, headers, query, cookie } = native
    const asked = fromRequest(request, (params as { '*'?: string } | undefined)?.['*'] ?? '')
    const outcome = await system.respond(
      // A hook of the app may have read the body before us.
      { ...asked, readBody: (...limits) => (request.bodyUsed ? Promise.resolve(body) : asked.readBody(...limits)) },
      // Without `context` nothing is known of Ctx, so undefined is one.
      () => options?.context?.(Object.assign(native, { headers, query, cookie }) as Native) as Ctx,
    )
    return toResponse(outcome, request.signal)
  }
  const plugin = new Elysia({ prefix: options?.prefix ?? '/api/invalidator' })
    // The body is left to the system, which has limits and answers of its own.
    .all('/', handle, { parse: 'none' })
    .all('/*', handle, { parse: 'none' })
    .onStop(() => system.close())
  // Its routes answer with a Response, which says nothing to a typed client.
  return plugin as unknown as Elysia
}
