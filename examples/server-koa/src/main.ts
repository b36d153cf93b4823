import { createBackend } from '@query-tags/example-shared/backend'
import { createApp } from './app.ts'

const port = Number(process.env['PORT'] ?? 3001)

const backend = createBackend()
const server = createApp(backend).listen(port, () => {
  console.log(`koa listens on http://localhost:${port}`)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void shutDown())

/** First the streams, then the listener: an open stream would keep the listener from closing. */
async function shutDown(): Promise<void> {
  await backend.system.close()
  server.close()
  server.closeIdleConnections()
}
