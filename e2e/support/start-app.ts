import { fileURLToPath } from 'node:url'
import { vi } from 'vitest'
import { findFreePort } from '../../scripts/free-port.ts'
import { RunningProcess } from './run-process.ts'

export const START_APP: URL = new URL('../../examples/start/', import.meta.url)

/** Robots, as the usual name of a headless browser says that it is one, get a page only when it is complete. */
export const NO_ROBOT: string =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'

export interface StartApp {
  readonly url: string
  readonly process: RunningProcess
}

/** A TanStack Start app as its developer runs it. */
export async function startInDevelopment(app: URL): Promise<StartApp> {
  const port = String(await findFreePort())
  const server = new RunningProcess([vite(app), 'dev', '--strictPort', '--port', port], { cwd: app })
  await server.printed(/Local:/)
  return { url: `http://localhost:${port}`, process: server }
}

/** The same, built, on the srvx server. */
export async function startOnSrvx(app: URL): Promise<StartApp> {
  await build(app)
  return startAnotherOnSrvx(app)
}

/** One more server of what was built. */
export async function startAnotherOnSrvx(app: URL): Promise<StartApp> {
  const srvx = fileURLToPath(new URL('node_modules/srvx/bin/srvx.mjs', app))
  return serve(app, [srvx, '--prod', '-s', '../client', 'dist/server/server.js'])
}

/** The same, built as Nitro's server. */
export async function startOnNitro(app: URL): Promise<StartApp> {
  await build(app, '--config', 'vite.nitro.config.ts')
  return serve(app, ['.output/server/index.mjs'])
}

function vite(app: URL): string {
  return fileURLToPath(new URL('node_modules/vite/bin/vite.js', app))
}

async function build(app: URL, ...args: readonly string[]): Promise<void> {
  const building = new RunningProcess([vite(app), 'build', ...args], { cwd: app })
  if ((await building.ended()) !== 0) throw new Error(building.output)
}

async function serve(app: URL, args: readonly string[]): Promise<StartApp> {
  const port = String(await findFreePort())
  const server = new RunningProcess(args, { cwd: app, env: { PORT: port } })
  const url = `http://localhost:${port}`
  // In a test's environment srvx does not print its address.
  await vi.waitFor(() => fetch(url), { timeout: 20_000 })
  return { url, process: server }
}
