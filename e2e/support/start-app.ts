import { fileURLToPath } from 'node:url'
import { vi } from 'vitest'
import { findFreePort } from '../../scripts/free-port.ts'
import { RunningProcess } from './run-process.ts'

export const START_APP: URL = new URL('../../examples/start/', import.meta.url)

export interface StartApp {
  readonly url: string
  readonly process: RunningProcess
}

const bin = (path: string): string => fileURLToPath(new URL(`node_modules/${path}`, START_APP))

/** The TanStack Start example as its developer runs it. */
export async function startInDevelopment(): Promise<StartApp> {
  const port = String(await findFreePort())
  const server = new RunningProcess([bin('vite/bin/vite.js'), 'dev', '--strictPort', '--port', port], {
    cwd: START_APP,
  })
  await server.printed(/Local:/)
  return { url: `http://localhost:${port}`, process: server }
}

/** The same, built, on the srvx server. */
export async function startBuilt(): Promise<StartApp> {
  const build = new RunningProcess([bin('vite/bin/vite.js'), 'build'], { cwd: START_APP })
  if ((await build.ended()) !== 0) throw new Error(build.output)
  const port = String(await findFreePort())
  const server = new RunningProcess(
    [bin('srvx/bin/srvx.mjs'), '--prod', '--port', port, '-s', '../client', 'dist/server/server.js'],
    { cwd: START_APP },
  )
  const url = `http://localhost:${port}`
  // In a test's environment it does not print its address.
  await vi.waitFor(() => fetch(url), { timeout: 20_000 })
  return { url, process: server }
}
