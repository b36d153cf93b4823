import { setTimeout as wait } from 'node:timers/promises'
import { openClients } from './clients.ts'
import { startServer } from './start-server.ts'

const CONNECTIONS = Number(process.argv[2] ?? 5000)
const TAGS = 50

/** Resident bytes of this process with so many tags watched by each connection. */
async function measure(tags: number): Promise<number> {
  const server = await startServer()
  const warm = await openClients(server.port, 200, tags)
  await settle()
  const before = process.memoryUsage()
  const clients = await openClients(server.port, CONNECTIONS, tags)
  await settle()
  const after = process.memoryUsage()
  clients.close()
  warm.close()
  await server.close()
  const perConnection = (field: 'rss' | 'heapUsed'): number => (after[field] - before[field]) / CONNECTIONS
  console.log(
    `${CONNECTIONS} connections of ${tags + 1} tags: ${kilobytes(perConnection('rss'))} resident each, ${kilobytes(perConnection('heapUsed'))} of it heap`,
  )
  return perConnection('heapUsed')
}

async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.()
    await wait(300)
  }
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`
}

const without = await measure(0)
const withTags = await measure(TAGS)
console.log(`${Math.round((withTags - without) / TAGS)} bytes for each tag that nobody else watches`)
