import type { ContextOptions, TagInvalidationSystem } from '@query-tags/server'
import { fromNode, send } from '@query-tags/server/node'
import type { FastifyPluginCallback, FastifyRequest } from 'fastify'

/**
 * Mounts a system on Fastify 5, below the prefix that it is registered with. Headers that hooks have set are kept. When the app closes,
 * the system is closed first: Fastify would wait for its open streams.
 *
 * Do not wrap it in `fastify-plugin`, which makes Fastify ignore the prefix.
 *
 * @param options `context` makes of the request what `resolveScope` gets; it may be left out where the system has no context type.
 *
 * @example
 * ```ts
 * const system = createTagInvalidationSystem({ resolveScope: (ctx: { userId: string }) => ({ kind: 'user', id: ctx.userId }) })
 * app.register(createFastifyPlugin(system, { context: (request) => ({ userId: request.user.id }) }), { prefix: '/api/invalidator' })
 * ```
 */
export function createFastifyPlugin<Ctx>(
  system: TagInvalidationSystem<Ctx>,
  ...[options]: ContextOptions<Ctx, [request: FastifyRequest]>
): FastifyPluginCallback {
  return (instance, _, done) => {
    // In this plugin only: the body is left to the system, which has limits and answers of its own.
    instance.removeAllContentTypeParsers()
    instance.addContentTypeParser('*', (_request, _payload, parsed) => {
      parsed(null)
    })
    // The listener is still open. `onClose` would come after the wait for open streams.
    instance.addHook('preClose', () => system.close())

    for (const url of ['/', '/*']) {
      instance.all<{ Params: { '*'?: string } }>(url, async (request, reply) => {
        const path = request.params['*'] ?? ''
        const outcome = await system.respond(
          fromNode(request.raw, { path, body: request.body }),
          // Without `context` nothing is known of Ctx, so undefined is one.
          () => options?.context?.(request) as Ctx,
        )
        // What CORS and other hooks have set is kept by the reply; the bridge writes past it.
        for (const [name, value] of Object.entries(reply.getHeaders()))
          if (value !== undefined) reply.raw.setHeader(name, value)
        reply.hijack()
        send(outcome, reply.raw)
      })
    }
    done()
  }
}
