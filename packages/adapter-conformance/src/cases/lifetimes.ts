import type { PlainTag } from '@query-tags/core'
import { expect, vi } from 'vitest'
import type { AppSetup } from '../app.ts'
import type { Reply } from '../client/exchange.ts'
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
      const stream = await openUnread(world)

      const isBounded = await writeUntilMerged(world, 10)

      expect(isBounded).toBe(true)
      expect(world.system.stats().backlogBytes).toBeLessThanOrEqual(65_536)
      stream.body.resume()
      expect(await stream.body.until('reset')).toMatchObject({ reason: 'overflow' })
    },
  },
  {
    name: 'frees everything when a client leaves while something is being written',
    async run(start) {
      const world = await start()
      const stream = await openUnread(world)
      await writeUntilMerged(world, 1)

      await stream.leave()

      await world.empty()
      await roundTrip(world)
    },
  },
  {
    name: 'leaves nothing of a hundred clients that come and go',
    async run(start) {
      const world = await start()
      for (let round = 0; round < 10; round++) {
        await Promise.all(
          Array.from({ length: 10 }, async () => {
            const stream = await world.connect()
            await stream.body.until('hello')
            await stream.leave()
          }),
        )
      }

      await world.empty()
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

/** A stream of everything whose client does not read on. */
async function openUnread(world: World): Promise<Reply> {
  const stream = await world.connect({ watch: '*' })
  await stream.body.until('hello')
  stream.body.pause()
  return stream
}

/**
 * Invalidates until the sockets are full and what comes waits in the connection, merged, and then some more times. False when it never does:
 * all would be in the response's own buffers, had the adapter not listened to the socket.
 */
async function writeUntilMerged(world: World, more: number): Promise<boolean> {
  let isFull = false
  for (let sent = 0, left = more; left > 0; left -= isFull ? 1 : 0) {
    if (sent > MAX_UNREAD_BYTES) return false
    const tags = toLargeTags(sent)
    await world.system.invalidateTags({ tags })
    sent += JSON.stringify(tags).length
    isFull ||= world.system.stats().backlogBytes > 0
  }
  return true
}

/** What happened to a connection before this request is known to the server after it. */
async function roundTrip(world: World): Promise<void> {
  const { body } = await world.ask({ method: 'OPTIONS' })
  await body.over()
}

/** Nearly as much as one call takes, none of it seen before. */
function toLargeTags(seed: number): PlainTag[] {
  return Array.from({ length: 45 }, (_, i) => [`${seed}/${i}`, 'x'.repeat(900)])
}
