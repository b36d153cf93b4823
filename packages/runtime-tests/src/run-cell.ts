import { spawn } from 'node:child_process'
import { EXPECTED_NOISE, type App, type Runtime } from './cells.ts'

/** What became of one case: no error, or what it was. */
interface CaseResult {
  readonly claim: string
  readonly error?: string
}

export interface CellResult {
  readonly cases: readonly CaseResult[]
  readonly exitCode: number | null
  /** What was printed besides. A run without faults prints nothing. */
  readonly noise: string
}

/** Runs the cases of one app on one runtime, in the project that {@link installPacked} made. */
export function runCell(app: App, runtime: Runtime, project: string, mode: 'short' | 'full'): Promise<CellResult> {
  const [command, ...args] = runtime.command as [string, ...string[]]
  const child = spawn(command, [...args, 'smoke.mjs', app, mode], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: mode === 'full' ? 60_000 : 20_000,
    // Not the conditions and flags of whoever runs us.
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => {
      const lines = stdout.split('\n').filter((line) => line !== '')
      const cases = lines.filter((line) => line.startsWith('{"claim"')).map((line) => JSON.parse(line) as CaseResult)
      const printed = [...lines.filter((line) => !line.startsWith('{"claim"')), stderr].join('\n')
      const noise = EXPECTED_NOISE.reduce((text, expected) => text.replaceAll(expected, ''), printed)
      resolve({ cases, exitCode, noise: noise.trim() })
    })
  })
}
