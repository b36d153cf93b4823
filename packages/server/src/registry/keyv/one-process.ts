import { QueryTagsError } from '@query-tags/core'
import type { Claim } from './layout.ts'

/** What to do instead. */
export const ONE_PROCESS =
  'A Keyv store like this is for one process at a time. For several take Redis: createTagInvalidationSystem({ store: new Keyv({ store: new KeyvRedis(url) }) })'

/** Why calls reject while another process is there. */
export function inUse({ process }: Claim): QueryTagsError {
  const who = process ? ` (pid ${process.pid} on ${process.host})` : ''
  const message = `Another server${who} uses the store; this one takes over when it is gone. ${ONE_PROCESS}`
  return new QueryTagsError('registry-unavailable', message)
}
