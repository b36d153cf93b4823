import { decodeFrame } from '@query-tags/core'
import * as fc from 'fast-check'
import { Agent, request } from 'node:http'
import { expect, it, onTestFinished } from 'vitest'
import { AppServer } from './support/app-server.ts'
import { RawStream } from './support/raw-stream.ts'
import { wildRequests, type WildRequest } from './support/wild-requests.ts'

const REQUESTS = 10_000
const AT_ONCE = 16
/** What a request may take that is not answered. */
const HANG_MS = 8000
const STATUSES = new Set([200, 204, 400, 401, 403, 404, 405, 408, 409, 413, 415, 426, 429])
const SECRET = 'only for user 8'

interface Answer {
  readonly status: number
  readonly isStream: boolean
  /** All of an answer; of a stream everything up to the first heartbeat, reset or invalidation, or the hello. */
  readonly text: string
}

it('10,000 wild requests are each answered with a code or a correct stream, and never with another scope (guarantee 11)', async () => {
  const server = await AppServer.start({
    resolveScope: (user) => ({ kind: 'user', id: String(user) }),
    limits: { maxControlCallsPerSecond: 1_000_000, maxConnections: 100_000, maxConnectionsPerScope: 100_000 },
  })
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  const own = await RawStream.open(server.port)
  onTestFinished(async () => {
    own.close()
    agent.destroy()
    await server.close()
  })
  const { system } = server
  const theirs = { kind: 'user', id: '8' }
  const receipt = await system.invalidateTags({ tags: [[SECRET]], scope: theirs })
  const cursors = [
    await system.cursor(),
    await system.cursor({ kind: 'user', id: 'undefined' }),
    await system.cursor(theirs),
  ]
  const connection = /"connection":"(\w+)"/.exec(own.text)![1]!
  const wild = wildRequests({ connection, cursors: cursors.map((cursor) => JSON.stringify(cursor)) })
  const requests = fc.sample(wild, { seed: 1, numRuns: REQUESTS })
  const secrets = [SECRET, receipt.at, receipt.at.split(':')[0]!, '"user\\",\\"8']

  const counts = new Map<string, number>()
  const faults: { fault: string; given: WildRequest }[] = []
  const queue = requests.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const given of queue) {
        const answer = await send(agent, server.port, given)
        const fault = faultOf(given, answer, secrets)
        if (fault !== undefined) faults.push({ fault, given })
        const name = answer.isStream ? 'streams' : String(answer.status)
        counts.set(name, (counts.get(name) ?? 0) + 1)
        if (answer.isStream) await system.invalidateTags({ tags: [[SECRET]], scope: theirs })
      }
    }),
  )

  console.log('wild requests, by answer:', Object.fromEntries(counts))
  expect(faults).toEqual([])
  expect(counts.get('streams')).toBeGreaterThan(REQUESTS / 50)
  expect(counts.get('200')).toBeGreaterThan(0)
  await expect.poll(() => system.stats().connections).toBe(1)
  expect((await RawStream.open(server.port)).text).toContain('event: hello')
  for (const secret of secrets) expect(own.text).not.toContain(secret)
}, 60_000)

/** What is wrong with an answer, if anything is. */
function faultOf(
  given: WildRequest,
  { status, isStream, text }: Answer,
  secrets: readonly string[],
): string | undefined {
  if (!STATUSES.has(status)) return `status ${status}`
  const secret = secrets.find((told) => text.includes(told))
  if (secret !== undefined) return `tells ${secret}`
  if (isStream && given.method !== 'HEAD' && firstEvent(text) !== 'hello') return `a stream of ${text}`
  // Express's own 404, below a path that is not ours, is a page.
  if (status >= 400 && text.startsWith('{') && !/^{"code":"[a-z-]+","message":".+"}$/.test(text)) return text
  return undefined
}

function firstEvent(text: string): string | undefined {
  const lines = text.slice(0, text.indexOf('\n\n')).split('\n')
  const fields = new Map(lines.map((line) => line.split(/: (.*)/s, 2) as [string, string]))
  return decodeFrame(fields.get('event') ?? '', fields.get('data') ?? '')?.event
}

function send(agent: Agent, port: number, { method, path, headers, body }: WildRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { agent, port, host: '127.0.0.1', method, path: `/api/invalidator${path}`, headers, timeout: HANG_MS },
      (response) => {
        const { statusCode: status = 0 } = response
        const isStream = response.headers['content-type']?.startsWith('text/event-stream') ?? false
        let text = ''
        const done = (): void => resolve({ status, isStream, text })
        response.setEncoding('utf8').on('data', (piece: string) => {
          text += piece
          // The rest of what comes at once comes with it.
          if (isStream && text.includes('\n\n')) setImmediate(() => outgoing.destroy())
        })
        response.once('close', done)
        response.on('error', () => undefined)
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer to ${method} ${path} ${body}`)))
    outgoing.on('error', reject)
    outgoing.end(method === 'GET' || method === 'HEAD' ? undefined : body)
  })
}
