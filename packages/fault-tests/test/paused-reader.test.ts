import { expect, it, onTestFinished, vi } from 'vitest'
import { AppServer } from './support/app-server.ts'
import { usedBytes } from './support/heap.ts'
import { RawStream } from './support/raw-stream.ts'

const INVALIDATIONS = 1_000_000
const TAGS = 10_000
const AT_ONCE = 500
/** The registry's 10,000 tags are a few MiB; a million frames would be 100. */
const MAX_GROWTH = 24 * 2 ** 20

it('a paused reader and 1,000,000 invalidations of 10,000 tags: bounded memory, and the others hear at once (guarantee 10)', async () => {
  const server = await AppServer.start({ heartbeatMs: 25_000 })
  const reading = await RawStream.open(server.port, { v: 1, ageMs: 0, watcher: 'w', watch: [['ping']] })
  const streams = [reading]
  onTestFinished(async () => {
    for (const stream of streams) stream.close()
    await server.close()
  })
  const before = usedBytes()
  const alone = await load(server, reading, INVALIDATIONS / 20)
  const paused = await RawStream.open(server.port)
  streams.push(paused)
  paused.pause()

  const beside = await load(server, reading, INVALIDATIONS)

  const growth = usedBytes() - before
  const { backlogBytes, resets } = server.system.stats()
  console.log(
    `${INVALIDATIONS} invalidations beside a paused reader: heap grew by ${(growth / 2 ** 20).toFixed(1)} MiB, backlog ${backlogBytes} bytes, ` +
      `a ping takes ${median(beside).toFixed(2)} ms in the median, ${median(alone).toFixed(2)} ms without it`,
  )
  expect(growth).toBeLessThan(MAX_GROWTH)
  expect(backlogBytes).toBeLessThanOrEqual(65_536)
  expect(resets.overflow).toBe(1)
  paused.clear()
  paused.resume()
  await vi.waitUntil(() => paused.text.includes('"reason":"overflow"'), 5000)
}, 120_000)

/** Invalidates, and now and then pings the one who reads. Returns how many milliseconds each ping took. */
async function load(server: AppServer, reading: RawStream, invalidations: number): Promise<number[]> {
  const latencies: number[] = []
  for (let i = 0; i < invalidations; i += AT_ONCE) {
    const calls = Array.from({ length: AT_ONCE }, (_, j) =>
      server.system.invalidateTags({ tags: [['tag', (i + j) % TAGS]] }),
    )
    await Promise.all(calls)
    // The kernel's buffers fill only while the event loop turns.
    await new Promise((resolve) => setImmediate(resolve))
    if (i % (invalidations / 50) === 0) latencies.push(await ping(server, reading))
  }
  return latencies
}

async function ping(server: AppServer, reading: RawStream): Promise<number> {
  reading.clear()
  const start = performance.now()
  await server.system.invalidateTags({ tags: [['ping']] })
  while (!reading.text.includes('event: invalidate')) await new Promise((resolve) => setImmediate(resolve))
  return performance.now() - start
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}
