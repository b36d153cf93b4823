import { node } from '@elysiajs/node'
import { createBackend } from '@query-tags/example-shared/backend'
import { createApp } from './app.ts'

const port = Number(process.env['PORT'] ?? 3001)
const isBun = 'Bun' in globalThis

const backend = createBackend()
createApp(backend, isBun ? {} : { adapter: node() }).listen(port, () => {
  console.log(`elysia listens on http://localhost:${port}${isBun ? ', on Bun' : ''}`)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void shutDown())

/** First the streams, with a goodbye. Elysia's listener on Node can't be stopped, so the process ends. */
async function shutDown(): Promise<void> {
  await backend.system.close()
  process.exit(0)
}
