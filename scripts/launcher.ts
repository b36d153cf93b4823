import { readFileSync } from 'node:fs'

interface Ancestor {
  readonly pid: number
  readonly parent: number
}

/**
 * Resolves when the `npx` or `pnpm` that started us is gone. A signal to `npx` ends it alone; it does not reach what it started, and nobody
 * tells us. Where there is no /proc to ask, and when nothing of the kind started us, it never resolves.
 */
export function untilLauncherIsGone(): Promise<void> {
  const chain = launchers()
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      // Whose parent ends gets another one.
      if (chain.every(({ pid, parent }) => parentOf(pid) === parent)) return
      clearInterval(timer)
      resolve()
    }, 500)
    timer.unref()
  })
}

/** This process and those above it, up to the topmost that was called with the name of pnpm. */
function launchers(): Ancestor[] {
  const above: Ancestor[] = []
  let length = 0
  for (let pid = process.pid, parent = parentOf(pid); parent !== undefined && parent > 1; parent = parentOf(pid)) {
    above.push({ pid, parent })
    pid = parent
    if (read(pid, 'cmdline')?.includes('pnpm')) length = above.length
  }
  return above.slice(0, length)
}

function parentOf(pid: number): number | undefined {
  const parent = read(pid, 'status')?.match(/^PPid:\s*(\d+)/m)?.[1]
  return parent === undefined ? undefined : Number(parent)
}

function read(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    // It ended meanwhile, or there is no /proc here.
    return undefined
  }
}
