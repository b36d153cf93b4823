import { isQueryTagsError, QueryTagsError } from '@query-tags/core'
import { describe } from './lane.ts'

/** What a Redis user needs. Tried as it stands here by a test. */
export const ACL_RULE =
  '~*query-tags:* &*query-tags:* +evalsha +eval +info +time +zadd +zscore +zcard +zrange +zrangebyscore +zrem +pttl +pexpire +unlink +publish +subscribe +unsubscribe'

/** What it needs in a cluster besides. Tried, too. */
export const CLUSTER_ACL_RULE = '+spublish +ssubscribe +sunsubscribe +cluster|slots +asking'

const UNKNOWN = /unknown (sub)?command/i
const DENIED = /NOPERM|NOAUTH|ACL failure|can't run this command|can't access at least one of the keys|can't publish/i

/** An error of a call, as one that says what to do. */
export function explain(error: unknown): QueryTagsError {
  if (isQueryTagsError(error) && error instanceof QueryTagsError) return error
  const text = describe(error)
  return new QueryTagsError('registry-unavailable', `Redis: ${text}${hint(text)}`, { cause: error })
}

function hint(text: string): string {
  if (DENIED.test(text)) return `. Give the Redis user: ${ACL_RULE}; in a cluster also ${CLUSTER_ACL_RULE}`
  return UNKNOWN.test(text) ? '. It takes Redis 7 or Valkey, with no command renamed' : ''
}

/** Whether trying again is of no use before somebody changes Redis. */
export function isRefused(error: unknown): boolean {
  return DENIED.test(describe(error)) || UNKNOWN.test(describe(error))
}
