import { createDatabase } from '@query-tags/example-shared/database'
import { createTagInvalidationSystem } from '@query-tags/server'
import { createApp } from './app.ts'

const port = Number(process.env['PORT'] ?? 3001)
const heartbeatMs = process.env['HEARTBEAT_MS']

const system = createTagInvalidationSystem(heartbeatMs === undefined ? {} : { heartbeatMs: Number(heartbeatMs) })
const server = createApp(system, createDatabase()).listen(port, (error) => {
  if (error) throw error
  console.log(`express listens on http://localhost:${port}`)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void shutDown())

/** First the streams, then the listener: an open stream would keep the listener from closing. */
async function shutDown(): Promise<void> {
  await system.close()
  server.close()
  server.closeIdleConnections()
}
