import { createClient } from '@keyv/redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SCRIPT } from '../../../src/registry/redis/script.ts'
import { hasRedis } from '../../support/redis-server.ts'
import { RedisWorld } from '../../support/redis-world.ts'

const KEY = 'key'
const TTL_MS = '600000'
let epochs = 0

/** The script as it is, or with a part of it replaced; and the sorted set that it works on. */
interface Scope {
  /** Epoch and `seq` of what was recorded. */
  readonly record: (...tags: string[]) => Promise<[epoch: string, seq: number]>
  readonly head: () => Promise<[epoch: string, top: number]>
  /** The tags, or nothing when it expired. */
  readonly since: (epoch: string, seq: number) => Promise<string[] | undefined>
  readonly cli: (...command: string[]) => Promise<string>
}

interface Case {
  readonly part: string
  readonly without: string
  /** Whether it does what is promised. */
  readonly holds: (scope: Scope) => Promise<boolean>
}

/** What each of these parts of the script is for, shown by what happens without it. */
const cases: Readonly<Record<string, Case>> = {
  'another fence is another epoch (guarantee 3)': {
    part: "([%w_-]+) ' .. fence .. ' ",
    without: '([%w_-]+) %w+ ',
    holds: async ({ record, head, cli }) => {
      const [epoch] = await record('["a"]')
      await changeState(cli, { fence: 'another' })
      return (await head())[0] !== epoch
    },
  },
  'another format is another epoch (guarantee 14)': {
    part: "'^!1 ",
    without: "'^!%d+ ",
    holds: async ({ record, head, cli }) => {
      const [epoch] = await record('["a"]')
      await changeState(cli, { format: '!2' })
      return (await head())[0] !== epoch
    },
  },
  'a new epoch has nothing of the one before (guarantee 3)': {
    part: "redis.call('UNLINK', key)\n    epoch",
    without: 'epoch',
    holds: async ({ record, head, cli }) => {
      await record('["a"]')
      await changeState(cli, { fence: 'another' })
      await head()
      return (await cli('ZCARD', KEY)) === '1'
    },
  },
  'a number is greater than the last, wherever the clock is (guarantee 4)': {
    part: 'math.max(top + 1, now)',
    without: 'now',
    holds: async ({ record, cli }) => {
      const [, seq] = await record('["a"]')
      await changeState(cli, { top: String(seq + 60_000_000) })
      return (await record('["b"]'))[1] > seq + 60_000_000
    },
  },
  'a position of another epoch expires (guarantee 3)': {
    part: 'elseif ARGV[4] ~= epoch then from = -1 end',
    without: 'end',
    holds: async ({ record, since }) => {
      const [, seq] = await record('["a"]')
      return (await since('another', seq)) === undefined
    },
  },
  'a position ahead of the last expires (guarantee 3)': {
    part: ' or from > top then',
    without: ' then',
    holds: async ({ record, since }) => {
      const [epoch, seq] = await record('["a"]')
      return (await since(epoch, seq + 1)) === undefined
    },
  },
  'a position below the floor expires (guarantee 3)': {
    part: 'if from < floor or',
    without: 'if',
    holds: async ({ head, record, since }) => {
      const [epoch, born] = await head()
      for (let i = 0; i < 5; i++) await record(`["${i}"]`)
      return (await since(epoch, born)) === undefined
    },
  },
  'trimming raises the floor (guarantee 3)': {
    part: 'floor = math.max(floor, tonumber(oldest[i + 1]))',
    without: '',
    holds: async ({ head, record, since }) => {
      const [epoch, born] = await head()
      for (let i = 0; i < 5; i++) await record(`["${i}"]`)
      return (await since(epoch, born)) === undefined
    },
  },
  'the floor is stored (guarantee 3)': {
    part: 'describe(epoch, seq, floor, math.max(0, bytes))',
    without: 'describe(epoch, seq, known, math.max(0, bytes))',
    holds: async ({ head, record, since }) => {
      const [epoch, born] = await head()
      for (let i = 0; i < 5; i++) await record(`["${i}"]`)
      return (await since(epoch, born)) === undefined
    },
  },
  'numbers are written in full (guarantee 4)': {
    part: "string.format('%.0f', number)",
    without: 'tostring(number)',
    holds: async ({ record }) => {
      const records = [await record('["a"]'), await record('["b"]'), await record('["c"]')]
      return records.some(([, seq]) => seq % 100 !== 0)
    },
  },
  'a scope that is used stays': {
    part: "if redis.call('PTTL', key) < ttl * 0.9 then redis.call('PEXPIRE', key, text(ttl)) end",
    without: '',
    holds: async ({ record, head, cli }) => {
      await record('["a"]')
      await cli('PEXPIRE', KEY, '5000')
      await head()
      return Number(await cli('PTTL', KEY)) > 100_000
    },
  },
  'what takes too many bytes is trimmed': {
    part: 'over > 0 or bytes > maxBytes',
    without: 'over > 0',
    holds: async ({ record, cli }) => {
      await record('["a"]')
      await record(`["${'x'.repeat(400)}"]`)
      return (await cli('ZSCORE', KEY, '["a"]')) === ''
    },
  },
}

/** Changes fields of the member that says how the log is. */
async function changeState(cli: Scope['cli'], change: Readonly<Record<string, string>>): Promise<void> {
  const state = await cli('ZRANGE', KEY, '0', '0')
  const [format, epoch, fence, top, floor, bytes] = state.split(' ')
  await cli('ZREM', KEY, state)
  await cli('ZADD', KEY, '-1', Object.values({ format, epoch, fence, top, floor, bytes, ...change }).join(' '))
}

describe.skipIf(!hasRedis)('the script', () => {
  const world = new RedisWorld()
  let client: ReturnType<typeof createClient>
  let open: (script: string) => Promise<Scope>
  beforeAll(async () => {
    const server = await world.server()
    client = createClient({ url: server.url })
    await client.connect()
    open = async (script) => {
      await server.cli('FLUSHALL')
      const run = async (...args: string[]): Promise<unknown[]> => {
        const [operation = '', ...rest] = args
        epochs++
        return (await client.eval(script, {
          keys: [KEY],
          arguments: [operation, `epoch${epochs}`, TTL_MS, ...rest],
        })) as unknown[]
      }
      return {
        record: async (...tags) => {
          const [, epoch, seq] = await run('record', 'PUBLISH', '3', '600', ...tags)
          return [String(epoch), Number(seq)]
        },
        head: async () => {
          const [, epoch, top] = await run('head')
          return [String(epoch), Number(top)]
        },
        since: async (epoch, seq) => {
          const [, , , , scored] = await run('since', epoch, String(seq))
          return Array.isArray(scored) ? scored.filter((_, i) => i % 2 === 0).map(String) : undefined
        },
        cli: (...command) => server.cli(...command),
      }
    }
  })
  afterAll(async () => {
    client.destroy()
    await world.close()
  })

  it.each(Object.entries(cases))('%s', async (_, { part, without, holds }) => {
    expect(SCRIPT.split(part)).toHaveLength(2)

    expect(await holds(await open(SCRIPT))).toBe(true)
    expect(await holds(await open(SCRIPT.replace(part, () => without))).catch(() => false)).toBe(false)
  })
})
