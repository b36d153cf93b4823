import { openClients } from './clients.ts'
import { startServer } from './start-server.ts'

const CONNECTIONS = Number(process.argv[2] ?? 5000)
const SECONDS = 5
/** Calls that wait for the registry at a time. */
const AT_ONCE = 10

/** Invalidates as fast as it goes, and prints what arrived. */
async function measure(name: string, toTag: (i: number) => readonly [string, ...number[]]): Promise<void> {
  const server = await startServer()
  const clients = await openClients(server.port, CONNECTIONS, 1)
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  let calls = 0
  const isOver = (): boolean => performance.now() - startedAt > SECONDS * 1000
  const writer = async (): Promise<void> => {
    while (!isOver()) {
      await server.system.invalidateTags({ tags: [toTag(calls++)] })
      // A server has sockets to look after, too.
      await new Promise(setImmediate)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, writer))
  const seconds = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const frames = await clients.frames()
  console.log(
    `${name}: ${round(calls / seconds)} invalidations/s, ${round(frames / seconds)} frames/s received; ${round(((user + system) / Math.max(calls, frames)) * 1000)} ns of CPU for each`,
  )
  clients.close()
  await server.close()
}

function round(value: number): string {
  return Math.round(value).toLocaleString('en')
}

console.log(`${CONNECTIONS} connections`)
await measure('a tag that all of them watch', () => ['shared'])
await measure('a tag that one of them watches', (i) => ['own', i % CONNECTIONS, 0])
await measure('a tag that nobody watches', (i) => ['nobody', i % 100_000])
