import { describe, type Lane } from './lane.ts'
import { SCRIPT, SCRIPT_SHA } from './script.ts'

/** One round trip; two when the server has not seen the script since it started. */
export async function runScript(lane: Lane, keys: readonly string[], args: readonly string[]): Promise<unknown> {
  const rest = [String(keys.length), ...keys, ...args]
  try {
    return await lane.call((connection) => connection.send(['EVALSHA', SCRIPT_SHA, ...rest]))
  } catch (error) {
    if (!/^NOSCRIPT\b/.test(describe(error))) throw error
    return lane.call((connection) => connection.send(['EVAL', SCRIPT, ...rest]))
  }
}
