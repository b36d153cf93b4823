import type { PlainTag } from '@query-tags/core'
import { expect, vi } from 'vitest'
import type { AppSetup } from '../app.ts'
import type { World } from '../world.ts'
import type { Case } from './case.ts'

/** Loopback sockets take some megabytes before they push back. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024

export const lifetimeCases: Case[] = [
  {
    name: 'frees everything when the client of a GET leaves',
    async run(start) {
      const world = await start()
      const stream = await world.ask({})
      await stream.body.until('hello')

      await stream.leave()

      await world.empty()
    },
  },
  {
    name: 'frees everything when the client of a POST leaves',
    async run(start) {
      const world = await start()
      const stream = await world.connect()
      await stream.body.until('hello')

      await stream.leave()

      await world.empty()
    },
  },
  {
    name: 'frees everything when the client of a parsed POST leaves',
    needs: 'body-parser',
    async run(start) {
      const world = await start({ parsesBodies: true })
      const stream = await world.connect()
      await stream.body.until('hello')

      await stream.leave()

      await world.empty()
    },
  },
  ...(['GET', 'POST'] as const).map((method): Case => ({
    name: `keeps nothing of a ${method} whose client left before the first byte`,
    async run(start) {
      let allow!: () => void
      const allowed = new Promise<void>((resolve) => (allow = resolve))
      const context = vi.fn<AppSetup['context']>(async (user) => {
        await allowed
        return { user }
      })
      const world = await start({ context })
      const responded = vi.spyOn(world.system, 'respond')

      const body = { v: 1, ageMs: 0, watcher: 'w', watch: '*' }
      const exchange = world.send(method === 'GET' ? {} : { method, body })
      await vi.waitFor(() => expect(context).toHaveBeenCalled())
      await exchange.leave()
      await roundTrip(world)
      allow()
      await responded.mock.results[0]?.value

      await world.empty()
    },
  })),
  {
    name: 'holds little for a reader that does not read, and resets it in the end',
    async run(start) {
      const world = await start()
      const stream = await world.connect({ watch: '*' })
      await stream.body.until('hello')
      stream.body.pause()

      let sent = 0
      let isFull = false
      for (let more = 10; more > 0 && sent < MAX_UNREAD_BYTES; more -= isFull ? 1 : 0) {
        const tags = toLargeTags(sent)
        await world.system.invalidateTags({ tags })
        sent += JSON.stringify(tags).length
        // From now on all waits in the connection, merged.
        isFull ||= world.system.stats().backlogBytes > 0
      }

      // Had the adapter not listened to the socket, all would be in the response's own buffers.
      expect(sent).toBeLessThan(MAX_UNREAD_BYTES)
      expect(world.system.stats().backlogBytes).toBeLessThanOrEqual(65_536)
      stream.body.resume()
      expect(await stream.body.until('reset')).toMatchObject({ reason: 'overflow' })
    },
  },
  {
    name: 'ends ten open streams in half a second when the system closes, and then the listener',
    async run(start) {
      const world = await start()
      const streams = await Promise.all(Array.from({ length: 10 }, () => world.connect()))
      await Promise.all(streams.map(({ body }) => body.until('hello')))

      const began = performance.now()
      await world.system.close({ drainMs: 0 })
      const streamsTook = performance.now() - began
      await Promise.all(streams.map(({ body }) => body.over()))
      await world.app.close()
      const took = performance.now() - began

      expect(streamsTook).toBeLessThan(500)
      expect(took).toBeLessThan(1000)
      for (const { body } of streams)
        expect(body.frames.at(-1)).toMatchObject({ event: 'bye', data: { reason: 'shutdown' } })
      await world.empty()
    },
  },
]

/** What happened to a connection before this request is known to the server after it. */
async function roundTrip(world: World): Promise<void> {
  const { body } = await world.ask({ method: 'OPTIONS' })
  await body.over()
}

/** Nearly as much as one call takes, none of it seen before. */
function toLargeTags(seed: number): PlainTag[] {
  return Array.from({ length: 45 }, (_, i) => [`${seed}/${i}`, 'x'.repeat(900)])
}
