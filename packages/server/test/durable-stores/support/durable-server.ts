/**
 * A server of its own process: `durable-server.ts <kind> <where>`. Prints its URL when it listens. `POST /invalidate` with tags as JSON
 * records them; everything else is the system's.
 */
import { text } from 'node:stream/consumers'
import { KeyvPostgres } from '@keyv/postgres'
import type { RawTag } from '@query-tags/core'
import { Keyv } from 'keyv'
import { KeyvFile } from 'keyv-file'
import { createTagInvalidationSystem } from '../../../src/create-system.ts'
import { fromNode } from '../../../src/node/from-node.ts'
import { send } from '../../../src/node/send.ts'
import { listen } from '../../support/listen.ts'
import { SqliteStore } from '../../support/sqlite-store.ts'

const [kind = '', where = ''] = process.argv.slice(2)
const stores: Record<string, () => object> = {
  sqlite: () => new SqliteStore(where),
  files: () => new KeyvFile({ filename: where, separatedFile: true }),
  postgres: () => new KeyvPostgres(where),
}

const system = createTagInvalidationSystem({
  store: new Keyv({ store: stores[kind]?.() }),
  heartbeatMs: 500,
  onError: () => undefined,
})

const server = await listen((request, response) => {
  const path = new URL(request.url!, 'http://localhost').pathname
  if (path === '/invalidate') {
    text(request)
      .then((body) => system.invalidateTags({ tags: JSON.parse(body) as RawTag[] }))
      .then(
        (receipt) => response.end(JSON.stringify(receipt)),
        (error: Error) => response.writeHead(503).end(error.message),
      )
    return
  }
  void system
    .respond(fromNode(request, { path }), () => undefined)
    .then((outcome) => {
      send(outcome, response)
    })
})
process.on('SIGTERM', () => {
  void system.close().then(() => process.exit(0))
})
console.log(server.url)
