import { toPlainTag } from '@query-tags/core'
import type { World } from './world.ts'

/** Somebody has learned the name of another's connection, and asks what is new on it. */
export function steal({ sim, pages, database, network }: World): void {
  const { name, process, user } = sim.random.pick(pages)
  const stream = network.streams.find(({ peer, hello }) => hello && peer.user !== user)
  if (!stream?.hello) return
  const add = database.ids.map((id) => toPlainTag(database.row(id).tag))
  const message = { ...stream.hello, watcher: 'thief', n: 1, add, remove: [] }
  const request = {
    method: 'POST',
    headers: { authorization: user ?? 'nobody', 'content-type': 'application/json' },
    body: JSON.stringify(message),
  }
  sim.clock.after(process, 0, () => {
    network
      .fetch({ name, process, user, isNewer: false, server: stream.server })(
        'http://app.test/api/invalidator/watch',
        request,
      )
      .catch((error: unknown) => sim.log(`the thief gets ${String(error)}`))
  })
}
