import KeyvRedis from '@keyv/redis'
import { createTagInvalidationSystem } from '@query-tags/server'
import { Keyv } from 'keyv'

/*
 * Run it by cron, or after an import: `REDIS_URL=redis://… pnpm start todos notes`. It shares its store with the servers that browsers are
 * connected to, and needs nothing else of them: no handler, no port, no request to an API.
 */
const system = createTagInvalidationSystem({ store: new Keyv({ store: new KeyvRedis(process.env['REDIS_URL']) }) })
try {
  await doTheWork()
  // After the change is committed. Rejects when it could not be recorded, and then the script fails.
  await system.invalidateTags({ tags: process.argv.slice(2).map((name) => [name]) })
} finally {
  // Lets go of Redis, so that the process ends by itself.
  await system.close()
}

/** Here a script writes to the database that the servers read from. */
async function doTheWork(): Promise<void> {}
