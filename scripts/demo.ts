/**
 * The demo command: an example server and the SPA, on free ports. Prints the address when both answer; Ctrl-C stops both.
 * `--backend <name>` chooses the server, `--port <number>` the port of the page. `--app start` runs the TanStack Start app instead.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'vite'
import { findFreePort, isPortFree } from './free-port.ts'
import { untilLauncherIsGone } from './launcher.ts'

const examples = new URL('../examples/', import.meta.url)
const spa = new URL('spa/', examples)
const startApp = new URL('start/', examples)
const READY_WITHIN_MS = 30_000
const STOP_WITHIN_MS = 3_000

/** Something the user can fix; printed without a stack. */
class DemoError extends Error {}

try {
  await runDemo()
} catch (error) {
  console.error(error instanceof DemoError ? error.message : error)
  process.exitCode = 1
}

/** A process of the demo, with what to call it when it fails. */
interface Part {
  readonly name: string
  readonly child: ChildProcess
}

async function runDemo(): Promise<void> {
  const { app, backend, port } = await readOptions()
  const page = `http://localhost:${port}`
  const stopped = untilStopped()
  if (app === 'start') {
    return serve([await startStart(port)], [`${page}/basic`], `Open ${page}  (Ctrl-C stops it)`, stopped)
  }
  const apiPort = await findFreePort(3001)
  const api = `http://localhost:${apiPort}`
  const parts = await startSpa(port, backend, apiPort)
  return serve(
    parts,
    // The server first: while it is not there, vite prints an error for every request.
    [`${api}/api/todos`, `${page}/api/todos`],
    `Open ${page}  (the ${backend} server is on ${api}; Ctrl-C stops both)`,
    stopped,
  )
}

async function startSpa(port: number, backend: string, apiPort: number): Promise<Part[]> {
  await build({ root: fileURLToPath(spa), logLevel: 'warn' })
  const server = start(new URL(`server-${backend}/`, examples), ['src/main.ts'], { PORT: String(apiPort) })
  const args = [vite(), 'preview', '--strictPort', '--port', String(port)]
  const site = start(spa, args, { VITE_API_URL: `http://localhost:${apiPort}` })
  return [
    { name: `The ${backend} server`, child: server },
    { name: 'vite preview', child: site },
  ]
}

async function startStart(port: number): Promise<Part> {
  const building = start(startApp, [vite(), 'build', '--logLevel', 'warn'], {})
  const [code] = await once(building, 'exit')
  if (code !== 0) throw new DemoError('vite build failed; see above.')
  const srvx = fileURLToPath(new URL('node_modules/srvx/bin/srvx.mjs', startApp))
  const args = [srvx, '--prod', '--port', String(port), '-s', '../client', 'dist/server/server.js']
  return { name: 'srvx', child: start(startApp, args, {}) }
}

function vite(): string {
  return fileURLToPath(new URL('bin/vite.js', import.meta.resolve('vite/package.json')))
}

/** Says so when the demo is ready, and stops its parts when it is over. */
async function serve(
  parts: readonly Part[],
  urls: readonly string[],
  ready: string,
  stopped: Promise<'stopped'>,
): Promise<void> {
  const waiting = new AbortController()
  try {
    const over = Promise.race([stopped, ...parts.map(({ name, child }) => untilFailed(name, child))])
    if ((await Promise.race([untilReady(urls, waiting.signal), over])) === 'stopped') return
    console.log(`\n  ${ready}\n`)
    await over
  } finally {
    waiting.abort()
    await Promise.all(parts.map(({ child }) => stop(child)))
  }
}

async function readOptions(): Promise<{ app: string; backend: string; port: number }> {
  const { app, backend, port } = parseOptions()
  if (!['spa', 'start'].includes(app)) throw new DemoError(`There is no app "${app}". --app takes: spa, start.`)
  const backends = readdirSync(examples).flatMap((name) => name.match(/^server-(.+)$/)?.[1] ?? [])
  if (!backends.includes(backend)) {
    throw new DemoError(`There is no backend "${backend}". --backend takes: ${backends.join(', ')}.`)
  }
  if (port === undefined) return { app, backend, port: await findFreePort(5173) }
  if (!/^\d{1,5}$/.test(port)) throw new DemoError(`--port takes a number, not "${port}".`)
  if (!(await isPortFree(Number(port))))
    throw new DemoError(`Port ${port} is taken. Leave out --port to get a free one.`)
  return { app, backend, port: Number(port) }
}

function parseOptions(): { app: string; backend: string; port?: string | undefined } {
  try {
    const options = {
      app: { type: 'string', default: 'spa' },
      backend: { type: 'string', default: 'express' },
      port: { type: 'string' },
    } as const
    // `pnpm demo -- --app start` hands on the dashes, too.
    const args = process.argv.slice(2).filter((arg) => arg !== '--')
    return parseArgs({ args, options }).values
  } catch (error) {
    throw new DemoError(error instanceof Error ? error.message : String(error))
  }
}

function start(cwd: URL, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  const exitWithParent = new URL('exit-with-parent.ts', import.meta.url).href
  return spawn(process.execPath, ['--conditions=query-tags-source', `--import=${exitWithParent}`, ...args], {
    cwd,
    env: { ...process.env, ...env },
    // What it prints only matters when it fails, and then it says why on stderr.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
}

/** Rejects when a child ends by itself. Ctrl-C reaches the children too, perhaps before us. */
async function untilFailed(name: string, child: ChildProcess): Promise<'stopped'> {
  const [code, signal] = await once(child, 'exit')
  if (signal === 'SIGINT') return 'stopped'
  throw new DemoError(`${name} ended with ${signal ?? `code ${code}`}; see above.`)
}

/** Resolves at the first signal to stop. The second one then ends the process the hard way, as usual. */
async function untilStopped(): Promise<'stopped'> {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  await Promise.race([...signals.map((signal) => once(process, signal)), untilLauncherIsGone()])
  return 'stopped'
}

/** Resolves once the addresses answer, one after the other: the page is served, and the server answers through its proxy. */
async function untilReady(urls: readonly string[], signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  for (const url of urls) {
    while (!signal.aborted && !(await answers(url))) {
      if (Date.now() > deadline) throw new DemoError(`${url} did not answer within ${READY_WITHIN_MS / 1000} s.`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok
  } catch {
    // Not listening yet.
    return false
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
  await exited
  clearTimeout(timer)
}
