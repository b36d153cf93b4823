import { createBackend } from '@query-tags/example-shared/backend'
import { createApp } from './app.ts'

const port = Number(process.env['PORT'] ?? 3001)

const app = await createApp(createBackend())
await app.listen({ port })
console.log(`fastify listens on http://localhost:${port}`)

// The plugin ends the streams first: an open one would keep the app from closing.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close())
