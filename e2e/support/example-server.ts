import { createRequire } from 'node:module'
import { RunningProcess } from './run-process.ts'

/** The example servers, each on what runs it. */
export const BACKENDS = {
  express: { example: 'server-express' },
  hono: { example: 'server-hono' },
  fastify: { example: 'server-fastify' },
  koa: { example: 'server-koa' },
  'elysia on Node': { example: 'server-elysia' },
  'elysia on Bun': { example: 'server-elysia', runtime: 'bun' },
} as const satisfies Record<string, { example: string; runtime?: 'bun' }>

export type BackendName = keyof typeof BACKENDS

/** An example server on a port, with heartbeats short enough that a test need not wait for its watchdog. */
export async function startExampleServer(port: number, name: BackendName = 'express'): Promise<RunningProcess> {
  const backend: { example: string; runtime?: 'bun' } = BACKENDS[name]
  const directory = new URL(`../../examples/${backend.example}/`, import.meta.url)
  const server = new RunningProcess(['src/main.ts'], {
    cwd: directory,
    env: { PORT: String(port), HEARTBEAT_MS: '1000' },
    program: backend.runtime && createRequire(directory).resolve('bun/bin/bun.exe'),
  })
  await server.printed(/listens on/)
  return server
}
