import { createTagInvalidationSystem, type TagInvalidationSystem } from '@query-tags/server'
import { createDatabase, type Database } from './database.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { userScope, type User } from './users.ts'

/** What the system is told of a request. Each server finds it out in its framework's own way. */
export interface Caller {
  readonly user: User | undefined
}

/** What the servers of the examples have in common. */
export interface Backend {
  readonly system: TagInvalidationSystem<Caller>
  readonly database: Database
  readonly sessions: Sessions
}

export function createBackend(): Backend {
  const heartbeatMs = process.env['HEARTBEAT_MS']
  const system = createTagInvalidationSystem<Caller>({
    // Everybody hears of the todos, signed in or not; what is of one user is in a scope of that user.
    resolveScope: ({ user }) => (user ? userScope(user) : []),
    ...(heartbeatMs !== undefined && { heartbeatMs: Number(heartbeatMs) }),
  })
  return { system, database: createDatabase(), sessions: createSessions() }
}
