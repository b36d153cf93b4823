import type { ProcessIdentity } from './layout.ts'

/** Who this process is. Another process compares it with what it can see. */
export async function identifyProcess(): Promise<ProcessIdentity> {
  const { hostname } = await import('node:os')
  const host = hostname()
  const { pid, platform } = process
  if (platform !== 'linux') return { place: `${platform} ${host}`, pid, startedAt: '', host }
  try {
    const { readFile, readlink } = await import('node:fs/promises')
    // Containers on one machine may share its name, but not their ids.
    const [boot, namespace] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readlink('/proc/self/ns/pid'),
    ])
    const stat = await readStat(pid)
    return { place: `${host} ${boot.trim()} ${namespace}`, pid, startedAt: stat?.startedAt ?? '', host }
  } catch {
    // A sandbox without /proc: nobody can look for us, nor we for others.
    return { place: '', pid, startedAt: '', host }
  }
}

/** Whether a process has certainly ended. `false` is no claim that it runs. */
export async function hasEnded(other: ProcessIdentity, here: ProcessIdentity): Promise<boolean> {
  if (here.place === '' || other.place !== here.place) return false
  if (process.platform !== 'linux') return !isRunning(other.pid)
  const stat = await readStat(other.pid)
  return !stat || stat.isZombie || stat.startedAt !== other.startedAt
}

/** `undefined`: there is no such process. */
async function readStat(pid: number): Promise<{ startedAt: string; isZombie: boolean } | undefined> {
  const { readFile } = await import('node:fs/promises')
  let text: string
  try {
    text = await readFile(`/proc/${pid}/stat`, 'utf8')
  } catch (error) {
    // ESRCH: it ended while it was looked at.
    if (['ENOENT', 'ESRCH'].includes(String((error as { code?: unknown }).code))) return undefined
    throw error
  }
  // The second field is the program's name in parentheses, which may hold anything; the rest is numbered from 3.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { startedAt: fields[22 - 3] ?? '', isZombie: fields[0] === 'Z' || fields[0] === 'X' }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: unknown }).code !== 'ESRCH'
  }
}
