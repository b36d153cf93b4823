import { formatPosition, parsePosition, type Cursor, type Frame } from '@query-tags/core'
import { expect, it, onTestFinished } from 'vitest'
import { openStream } from '../../abuse-tests/test/support/open-stream.ts'
import { Trial } from '../src/trial.ts'

/** A process beats each of its connections once in 25 s, so in a short time some of them. */
const MAX_HEARTBEATS = 20

/** One process with few heartbeats. */
async function startTrial(): Promise<Trial> {
  const trial = await Trial.start({ seed: 1, clients: 0, servers: 1, heartbeatMs: 25_000 })
  onTestFinished(() => trial.close())
  return trial
}

/** The commands that the process sends to Redis for this, but for what its heartbeats ask: `head`, for all scopes at once. */
async function commandsFor({ redis }: Trial, work: () => Promise<void>): Promise<Record<string, number>> {
  const { commands } = redis.gates[0]!
  commands.clear()
  await work()
  expect(commands.get('head') ?? 0).toBeLessThanOrEqual(MAX_HEARTBEATS)
  commands.delete('head')
  return Object.fromEntries(commands)
}

/** Opens a stream of everything in the global scope and one room, and resolves with where it starts. */
async function open({ fleet }: Trial, cursor?: Cursor): Promise<Cursor> {
  const stream = await openStream(`${fleet.servers[0]!.url}/api/invalidator`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-rooms': '1' },
    body: JSON.stringify({ v: 1, ageMs: 0, watcher: 'w', watch: '*', ...(cursor && { cursor }) }),
  })
  onTestFinished(() => stream.leave())
  await expect.poll(() => stream.frames().some(isHello)).toBe(true)
  return stream.frames().find(isHello)!.data.cursor
}

function isHello(frame: Frame): frame is Extract<Frame, { event: 'hello' }> {
  return frame.event === 'hello'
}

it('an invalidation costs one round trip to Redis', async () => {
  const trial = await startTrial()
  const writes = 50
  const write = async (item: number): Promise<void> => {
    expect(await trial.fleet.write({ scope: item % 3, item }, 0)).toBe(true)
  }
  await write(0)

  const alone = await commandsFor(trial, async () => {
    for (let item = 0; item < writes; item++) await write(item)
  })
  await open(trial)
  const heard = await commandsFor(trial, async () => {
    for (let item = 0; item < writes; item++) await write(item)
  })

  console.log(`${writes} invalidations, commands to Redis:`, alone, 'with a stream that hears of them:', heard)
  expect(alone).toEqual({ record: writes })
  // A heartbeat that finds a message still on its way reads what it says.
  const { since = 0, ...others } = heard
  expect(since).toBeLessThanOrEqual(MAX_HEARTBEATS)
  expect(others).toEqual({ record: writes })
})

it('a resume costs at most one round trip to Redis for each scope, and many at once share theirs', async () => {
  const trial = await startTrial()
  const [scopes, together] = [2, 100]
  const start = await open(trial)
  for (let item = 0; item < 10; item++) await trial.fleet.write({ scope: item % 3, item }, 0)
  // Each was elsewhere when it left.
  const cursors = Array.from({ length: together }, (_, i) => {
    const positions = Object.entries(start).map(([scope, at]): [string, string] => {
      const { epoch, seq } = parsePosition(at)!
      return [scope, formatPosition({ epoch, seq: seq + i })]
    })
    return Object.fromEntries(positions)
  })

  const one = await commandsFor(trial, async () => void (await open(trial, start)))
  const many = await commandsFor(trial, async () => {
    await Promise.all(cursors.map((cursor) => open(trial, cursor)))
  })

  console.log(`a resume in ${scopes} scopes, commands to Redis:`, one, `${together} at once:`, many)
  expect(one).toEqual({ since: scopes })
  expect(Object.keys(many)).toEqual(['since'])
  expect(many['since']).toBeLessThanOrEqual(together)
})
