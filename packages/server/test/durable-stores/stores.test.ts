import { KeyvPostgres } from '@keyv/postgres'
import { Keyv } from 'keyv'
import { KeyvFile } from 'keyv-file'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { openKeyvRegistry } from '../../src/registry/keyv/keyv-registry.ts'
import type { TagRegistry } from '../../src/registry/tag-registry.ts'
import { hasPostgres, PostgresServer } from '../support/postgres-server.ts'
import { describeKeyv } from '../support/describe-keyv.ts'
import { SqliteStore } from '../support/sqlite-store.ts'

let directory = ''
let files = 0
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'query-tags-keyv-'))
})
afterAll(async () => {
  await rm(directory, { recursive: true, force: true })
})

const nextFile = (): string => join(directory, `${++files}`)

describeKeyv('a Keyv over SQLite', async () => ({ keyv: new Keyv({ store: new SqliteStore(nextFile()) }) }))

describeKeyv('a Keyv over files', async () => ({
  keyv: new Keyv({ store: new KeyvFile({ filename: nextFile(), separatedFile: true }) }),
}))

function open(keyv: Keyv): TagRegistry {
  return openKeyvRegistry(keyv, { clock: systemClock, report: console.error })
}

describe('any Keyv', () => {
  it('may have a time to live for everything else', async () => {
    const store = new Map()
    const first = open(new Keyv({ store, ttl: 20 }))
    const head = await first.record('s', [['a']])
    await new Promise((resolve) => setTimeout(resolve, 50))

    await expect(first.record('s', [['b']])).resolves.toMatchObject({ epoch: head.epoch })

    await first.close()
    const second = open(new Keyv({ store, ttl: 20 }))
    await expect(second.head('s')).resolves.toMatchObject({ epoch: head.epoch })
    await second.close()
  })

  it.each(['query-tags', 'other', 'query-tags.claim', ''])('may have the namespace %j', async (namespace) => {
    const store = new Map()
    const others = open(new Keyv({ store, namespace: 'another' }))
    const first = open(new Keyv({ store, namespace }))
    const head = await first.record('s', [['a']])

    expect((await others.head('s')).epoch).not.toBe(head.epoch)

    await first.close()
    const second = open(new Keyv({ store, namespace }))
    expect(await second.head('s')).toEqual(head)
    await Promise.all([second.close(), others.close()])
  })

  it('may keep values as they are', async () => {
    const store = new Map()
    const options = { store, serialize: undefined, deserialize: undefined }
    const first = open(new Keyv(options as object))
    const head = await first.record('s', [['a']])
    await first.close()

    const second = open(new Keyv(options as object))

    expect(await second.head('s')).toEqual(head)
    await second.close()
  })
})

describe.skipIf(!hasPostgres)('PostgreSQL', () => {
  let postgres: PostgresServer
  let tables = 0
  const connect = (table: string): Keyv => new Keyv({ store: new KeyvPostgres({ uri: postgres.url, table }) })
  beforeAll(async () => {
    postgres = await PostgresServer.start()
  }, 120_000)
  afterAll(async () => {
    // All share one pool, of which a connection that breaks would end this process.
    await connect('t0').disconnect()
    await postgres.close()
  })

  describeKeyv('a Keyv over PostgreSQL', async () => ({ keyv: connect(`t${++tables}`) }))

  it(
    'rejects while the table is locked, and goes on when it is not (guarantees 1, 2)',
    { timeout: 60_000 },
    async () => {
      const registry = openKeyvRegistry(connect('locked'), { clock: systemClock, report: () => undefined })
      const start = await registry.record('s', [['a']])
      const lock = 'BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(6); COMMIT'

      const locked = new KeyvPostgres({ uri: postgres.url, table: 'other' }).query(lock)
      await new Promise((resolve) => setTimeout(resolve, 500))
      await expect(registry.record('s', [['b']])).rejects.toThrow('The store did not write')
      await locked
      await expect.poll(() => registry.record('s', [['c']]).catch(() => undefined), { timeout: 30_000 }).toBeDefined()

      expect(JSON.stringify(await registry.since('s', start))).toContain('["c"]')
      await registry.close()
    },
  )
})
