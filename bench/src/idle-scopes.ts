import KeyvRedis from '@keyv/redis'
import {
  createMemoryRegistry,
  createTagInvalidationSystem,
  type KeyvStore,
  type TagInvalidationSystem,
  type TagRegistry,
} from '@query-tags/server'
import { Keyv } from 'keyv'
import { setTimeout as wait } from 'node:timers/promises'

const SCOPES = Number(process.argv[2] ?? 100_000)
const HEARTBEAT_MS = 8000
const HEARTBEATS = 3
const url = process.env['REDIS_URL']

/** So many users, each in a scope of their own, with nothing going on. */
async function measure(name: string, store: TagRegistry | KeyvStore, countRedis?: () => Promise<Redis>): Promise<void> {
  const system = createTagInvalidationSystem<string>({
    store,
    heartbeatMs: HEARTBEAT_MS,
    maxStreamMs: null,
    limits: { maxConnections: SCOPES, maxPendingReads: 4 * SCOPES, maxAuthorizations: SCOPES },
    resolveScope: (id) => ({ kind: 'user', id }),
  })
  const sinks: Sink[] = []
  for (let i = 0; i < SCOPES; i += 1000) {
    const opened = await Promise.all(Array.from({ length: 1000 }, (_, j) => open(system, String(i + j))))
    sinks.push(...opened)
    // All at once would be another bench: a restart.
    while (opened.some((sink) => sink.beats < 0)) await wait(5)
  }
  await wait(HEARTBEAT_MS)

  const [cpu, before, beatsBefore] = [process.cpuUsage(), await countRedis?.(), beats(sinks)]
  await wait(HEARTBEATS * HEARTBEAT_MS)
  const seconds = (HEARTBEATS * HEARTBEAT_MS) / 1000
  const { user, system: kernel } = process.cpuUsage(cpu)
  const after = await countRedis?.()
  const { state, verifyAgeMs } = system.stats()
  console.log(
    `${name}: ${SCOPES} scopes, ${round((beats(sinks) - beatsBefore) / seconds)} heartbeats/s, ${round((user + kernel) / 1e4 / seconds)} % of a core, ${state}, verified at most ${round(verifyAgeMs)} ms ago`,
  )
  if (before && after) {
    console.log(
      `  Redis: ${round((after.calls - before.calls) / seconds)} calls/s, ${round(((after.cpu - before.cpu) / seconds) * 100)} % of a core, ${round((after.bytes - before.bytes) / seconds / 1000)} kB/s, ${round(after.memory / SCOPES)} bytes of its memory for each scope`,
    )
  }
  await system.close()
}

interface Sink {
  beats: number
}

/** A stream that is read at once and thrown away: what a socket costs is not what is measured here. */
async function open(system: TagInvalidationSystem<string>, id: string): Promise<Sink> {
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  const outcome = await system.respond(
    {
      method: 'POST',
      path: '/',
      host: undefined,
      header: (name) => headers[name],
      readBody: () => Promise.resolve({ v: 1, ageMs: 0, watcher: 'w', watch: [['todos']] }),
    },
    () => id,
  )
  if (outcome.kind !== 'stream') throw new Error(`${outcome.status} ${outcome.body}`)
  const sink: Sink = { beats: -1 }
  const source = outcome.open({
    write: () => {
      sink.beats++
      return true
    },
    end: () => {
      queueMicrotask(() => source.closed())
    },
    destroy: () => {
      queueMicrotask(() => source.closed())
    },
  })
  return sink
}

function beats(sinks: readonly Sink[]): number {
  return sinks.reduce((sum, sink) => sum + sink.beats, 0)
}

interface Redis {
  readonly calls: number
  readonly cpu: number
  readonly bytes: number
  readonly memory: number
}

/** What Redis says that it has done. */
async function redisCounter(redisUrl: string): Promise<{ count: () => Promise<Redis>; close: () => Promise<unknown> }> {
  const { client } = new KeyvRedis(redisUrl)
  if (!('info' in client)) throw new Error('REDIS_URL must be of one Redis')
  await client.connect()
  return {
    close: () => client.close(),
    async count() {
      const info = await client.info('all')
      const field = (pattern: RegExp): number => Number(pattern.exec(info)?.[1] ?? 0)
      return {
        calls: field(/^cmdstat_evalsha:calls=(\d+)/m),
        cpu: field(/^used_cpu_user:([\d.]+)/m) + field(/^used_cpu_sys:([\d.]+)/m),
        bytes: field(/^total_net_input_bytes:(\d+)/m) + field(/^total_net_output_bytes:(\d+)/m),
        memory: field(/^used_memory:(\d+)/m),
      }
    },
  }
}

function round(value: number): string {
  return Math.round(value).toLocaleString('en')
}

await measure('memory', createMemoryRegistry())
if (url) {
  const counter = await redisCounter(url)
  await measure('Redis', new Keyv({ store: new KeyvRedis(url) }), counter.count)
  await counter.close()
} else {
  console.log('Redis: left out; give a REDIS_URL of one that is yours alone')
}
