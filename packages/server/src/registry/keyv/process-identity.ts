import type { ProcessIdentity } from './layout.ts'

/** Who this process is. Another process compares it with what it can see. */
export async function identifyProcess(): Promise<ProcessIdentity> {
  const { pid, platform } = process
  let host = 'an unknown host'
  try {
    const { hostname } = await import('node:os')
    host = hostname()
    if (platform !== 'linux') return { place: `${platform} ${host}`, pid, startedAt: '', host }
    const { readFile, readlink } = await import('node:fs/promises')
    // Containers on one machine may share its name, but not their ids.
    const [boot, namespace, stat] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readlink('/proc/self/ns/pid'),
      readStat(pid),
    ])
    if (stat) return { place: `${host} ${boot.trim()} ${namespace}`, pid, startedAt: stat.startedAt, host }
  } catch {
    // A sandbox, as below.
  }
  // Nobody can look for us, nor we for others.
  return { place: '', pid, startedAt: '', host }
}

/** Whether a process has certainly ended. `false` is no claim that it runs. */
export async function hasEnded(other: ProcessIdentity, here: ProcessIdentity): Promise<boolean> {
  if (here.place === '' || other.place !== here.place) return false
  if (!isRunning(other.pid)) return true
  if (process.platform !== 'linux') return false
  const stat = await readStat(other.pid)
  return stat !== undefined && (stat.isZombie || stat.startedAt !== other.startedAt)
}

/** Whether there is a process of this id, be it another one's. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Anything else is a process that we may not touch.
    return (error as { code?: unknown }).code !== 'ESRCH'
  }
}

/** `undefined`: it can't be seen. */
async function readStat(pid: number): Promise<{ startedAt: string; isZombie: boolean } | undefined> {
  const { readFile } = await import('node:fs/promises')
  let text: string
  try {
    text = await readFile(`/proc/${pid}/stat`, 'utf8')
  } catch {
    // It ended meanwhile, or it is hidden from us.
    return undefined
  }
  // The second field is the program's name in parentheses, which may hold anything; the rest is numbered from 3.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { startedAt: fields[22 - 3] ?? '', isZombie: fields[0] === 'Z' || fields[0] === 'X' }
}
