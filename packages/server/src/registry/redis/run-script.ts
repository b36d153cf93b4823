import { describe, type Lane } from './lane.ts'
import { digest } from './digest.ts'
import { SCRIPT } from './script.ts'

let scriptSha: string | undefined

/**
 * One round trip; two when the server has not seen the script since it started.
 *
 * @param isAsking the slot is moving to this server, which takes only calls that were sent here for that.
 */
export async function runScript(
  lane: Lane,
  keys: readonly string[],
  args: readonly string[],
  isAsking = false,
): Promise<unknown> {
  scriptSha ??= digest('sha1', SCRIPT)
  const rest = [String(keys.length), ...keys, ...args]
  const send = (...script: readonly string[]): Promise<unknown> =>
    lane.call(async (connection) => {
      const asking = isAsking ? connection.send(['ASKING']) : undefined
      const [answer] = await Promise.all([connection.send([...script, ...rest]), asking])
      return answer
    })
  try {
    return await send('EVALSHA', scriptSha)
  } catch (error) {
    if (!/^NOSCRIPT\b/.test(describe(error))) throw error
    return send('EVAL', SCRIPT)
  }
}
