import { setTimeout as sleep } from 'node:timers/promises'

const INTERVAL_MS = 20

/** Waits for a condition. Resolves with whether it came true in time. */
export async function comesTrue(condition: () => boolean | Promise<boolean>, ms: number): Promise<boolean> {
  const endsAt = performance.now() + ms
  while (!(await condition())) {
    if (performance.now() > endsAt) return false
    await sleep(INTERVAL_MS)
  }
  return true
}

/** @throws when the condition did not come true in time. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  if (!(await comesTrue(condition, ms))) throw new Error(`Not in ${ms} ms: ${what}`)
}
