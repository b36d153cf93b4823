import { execFile, type ChildProcess } from 'node:child_process'
import { globSync } from 'node:fs'
import { chown, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findFreePort } from '../../../../scripts/free-port.ts'
import { hasEnded, kill, startProcess } from '../../../../scripts/start-process.ts'
import { findOnPath, findPostgres } from '../../../../scripts/tools.ts'

const run = promisify(execFile)

/** Whether this machine has a PostgreSQL for tests to start; those that need one skip themselves without. */
export const hasPostgres: boolean = findPostgres() !== undefined

/** A real PostgreSQL for one test file, on a free port of 127.0.0.1. */
export class PostgresServer {
  readonly port: number
  readonly #directory: string
  readonly #user: { readonly uid: number; readonly gid: number } | undefined
  #process: ChildProcess | undefined

  private constructor(port: number, directory: string, user: { uid: number; gid: number } | undefined) {
    this.port = port
    this.#directory = directory
    this.#user = user
  }

  static async start(): Promise<PostgresServer> {
    const directory = await mkdtemp(join(tmpdir(), 'query-tags-postgres-'))
    // It refuses to be run by root.
    const user = process.getuid?.() === 0 ? await findUser('postgres', 'nobody') : undefined
    if (user) await chown(directory, user.uid, user.gid)
    const data = join(directory, 'data')
    const settings = ['-D', data, '-U', 'test', '--auth=trust', '--no-sync', '--no-locale', '--encoding=UTF8']
    await run(program('initdb'), settings, { ...user, cwd: directory, timeout: 60_000 })
    const server = new PostgresServer(await findFreePort(), directory, user)
    await server.#start()
    return server
  }

  get url(): string {
    return `postgresql://test@127.0.0.1:${this.port}/postgres`
  }

  /** Resolves when it answers. */
  async #start(): Promise<void> {
    const settings = [
      '-D',
      join(this.#directory, 'data'),
      '-p',
      `${this.port}`,
      '-h',
      '127.0.0.1',
      '-k',
      '',
      '-c',
      'fsync=off',
    ]
    const become = this.#user
      ? [`--reuid=${this.#user.uid}`, `--regid=${this.#user.gid}`, '--clear-groups', '--pdeathsig', 'KILL']
      : undefined
    const [command, ...args] = [...(become ? [findOnPath('setpriv') ?? 'setpriv', ...become] : []), program('postgres')]
    const child = startProcess(command, [...args, ...settings], { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#process = child
    let log = ''
    child.stderr?.on('data', (bytes: Buffer) => (log += bytes.toString()))
    for (let i = 0; i < 400; i++) {
      if (hasEnded(child)) break
      if (await this.#answers()) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`postgres on port ${this.port} did not answer: ${log}`)
  }

  async close(): Promise<void> {
    if (this.#process) await kill(this.#process, 'SIGQUIT')
    await rm(this.#directory, { recursive: true, force: true })
  }

  async #answers(): Promise<boolean> {
    const question = ['-h', '127.0.0.1', '-p', `${this.port}`, '-U', 'test', '-d', 'postgres']
    return run(program('pg_isready'), question, { timeout: 5000 }).then(
      () => true,
      // It isn't up yet.
      () => false,
    )
  }
}

/** Debian puts them where only its own tools look. */
function program(name: string): string {
  const [beside] = globSync(`/usr/lib/postgresql/*/bin/${name}`).sort().reverse()
  return beside ?? name
}

async function findUser(...names: string[]): Promise<{ uid: number; gid: number }> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  const found = names.map((name) => lines.find(([user]) => user === name)).find((line) => line !== undefined)
  if (!found) throw new Error(`there is no user ${names.join(' or ')}`)
  return { uid: Number(found[2]), gid: Number(found[3]) }
}
