const MIN_MS = 500
const MAX_MS = 20_000

/**
 * How long to wait before the next attempt: full jitter between 0.5 s and a ceiling that doubles from 1 s to 20 s. The first retry is spread
 * over what the server asked for, which knows its audience.
 *
 * @param failures Attempts that failed in a row. 0: a healthy stream came to its end, and may be reopened at once.
 * @param retryMs The server's `retryMs`.
 * @param random Uniform in [0, 1).
 */
export function retryDelayMs(failures: number, retryMs: number, random: number): number {
  if (failures === 0) return random * retryMs
  const ceiling = Math.min(MAX_MS, MIN_MS * 2 ** failures)
  return MIN_MS + random * (Math.max(ceiling, failures === 1 ? retryMs : 0) - MIN_MS)
}
