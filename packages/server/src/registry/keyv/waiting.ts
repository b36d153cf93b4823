import type { Clock } from '../../clock.ts'

const MIN_MS = 200
const MAX_MS = 5000

/** How long to wait after an attempt that failed: longer each time, with some chance in it. */
export function backoffMs(attempt: number, clock: Clock): number {
  return Math.min(MAX_MS, MIN_MS * 2 ** Math.min(attempt, 10)) * (0.5 + clock.random() / 2)
}

/** Resolves after this time, or when the signal aborts. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const cancel = clock.after(ms, end)
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })
}

/** Lets everything else go first. */
export function yieldTask(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.after(0, resolve)
  })
}

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
