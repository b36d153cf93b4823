/**
 * The demo command: an example server and the SPA, on free ports. Prints the address when both answer; Ctrl-C stops both.
 * `--backend <name>` chooses the server, `--port <number>` the port of the page.
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

async function runDemo(): Promise<void> {
  const { backend, port } = await readOptions()
  const apiPort = await findFreePort(3001)
  const api = `http://localhost:${apiPort}`
  const page = `http://localhost:${port}`
  const stopped = untilStopped()
  const waiting = new AbortController()

  await build({ root: fileURLToPath(spa), logLevel: 'warn' })
  const server = start(new URL(`server-${backend}/`, examples), ['src/main.ts'], { PORT: String(apiPort) })
  const vite = fileURLToPath(new URL('bin/vite.js', import.meta.resolve('vite/package.json')))
  const site = start(spa, [vite, 'preview', '--strictPort', '--port', String(port)], { VITE_API_URL: api })
  try {
    const over = Promise.race([
      stopped,
      untilFailed(`The ${backend} server`, server),
      untilFailed('vite preview', site),
    ])
    if ((await Promise.race([untilReady(`${page}/api/todos`, waiting.signal), over])) === 'stopped') return
    console.log(`\n  Open ${page}  (the ${backend} server is on ${api}; Ctrl-C stops both)\n`)
    await over
  } finally {
    waiting.abort()
    await Promise.all([stop(server), stop(site)])
  }
}

async function readOptions(): Promise<{ backend: string; port: number }> {
  const { backend, port } = parseOptions()
  const backends = readdirSync(examples).flatMap((name) => name.match(/^server-(.+)$/)?.[1] ?? [])
  if (!backends.includes(backend)) {
    throw new DemoError(`There is no backend "${backend}". --backend takes: ${backends.join(', ')}.`)
  }
  if (port === undefined) return { backend, port: await findFreePort(5173) }
  if (!/^\d{1,5}$/.test(port)) throw new DemoError(`--port takes a number, not "${port}".`)
  if (!(await isPortFree(Number(port))))
    throw new DemoError(`Port ${port} is taken. Leave out --port to get a free one.`)
  return { backend, port: Number(port) }
}

function parseOptions(): { backend: string; port?: string | undefined } {
  try {
    const options = { backend: { type: 'string', default: 'express' }, port: { type: 'string' } } as const
    return parseArgs({ options }).values
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

/** Resolves once the address answers: the page is served, and the server answers through its proxy. */
async function untilReady(url: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  while (!signal.aborted && !(await answers(url))) {
    if (Date.now() > deadline) throw new DemoError(`${url} did not answer within ${READY_WITHIN_MS / 1000} s.`)
    await new Promise((resolve) => setTimeout(resolve, 50))
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
