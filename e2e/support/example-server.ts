import { RunningProcess } from './run-process.ts'

/** The Express example on a port, with heartbeats short enough that a test need not wait for its watchdog. */
export async function startExampleServer(port: number): Promise<RunningProcess> {
  const server = new RunningProcess(['src/main.ts'], {
    cwd: new URL('../../examples/server-express/', import.meta.url),
    env: { PORT: String(port), HEARTBEAT_MS: '1000' },
  })
  await server.printed(/listens on/)
  return server
}
