import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { findOnPath } from './tools.ts'

/** Sends a process a signal when the thread that started it is gone, also when that was killed. Part of Debian's util-linux. */
const setpriv = findOnPath('setpriv')

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export interface ProcessOptions {
  readonly stdio?: StdioOptions
  readonly env?: NodeJS.ProcessEnv
}

/** Starts a program that does not outlive this process, however that ends. */
export function startProcess(program: string, args: readonly string[], options: ProcessOptions = {}): ChildProcess {
  const [command, ...rest] = [...(setpriv ? [setpriv, '--pdeathsig', 'KILL'] : []), program, ...args]
  const child = spawn(command!, rest, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

export function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

/** Resolves when it is gone. */
export async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}
