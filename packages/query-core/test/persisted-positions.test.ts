import { withTags } from '@query-tags/core'
import { QueryClient, QueryObserver } from '@tanstack/query-core'
import { experimental_createQueryPersister } from '@tanstack/query-persist-client-core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { bindTags, carryCursor, persistedPositions, type StoredQuery } from '../src/index.ts'
import { itemStorage, loadedAt, STORE_MS } from './item-storage.ts'
import { ScriptedClient } from './scripted-client.ts'
import { settle } from './world.ts'

// TanStack's own per-query persister, on a store that takes its time.

const GLOBAL = '["global",null]'
const HOUR_MS = 3_600_000

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => vi.useRealTimers())

interface Row {
  readonly version: number
}

/** A server with rows, and what one browser keeps of them between visits. */
class Site {
  client = new ScriptedClient()
  readonly items = new Map<string, string>()
  readonly rows = new Map<string, number>()
  reads: string[] = []

  /** The server's rows change, and it says so; pages hear of it when it is delivered. */
  change(...names: string[]): void {
    for (const name of names) {
      this.rows.set(name, this.version(name) + 1)
      this.client.record([name])
    }
  }

  version(name: string): number {
    return this.rows.get(name) ?? 0
  }

  /** Another page load, or another tab. */
  open(client = this.client.reload()) {
    this.client = client
    this.reads = []
    const queryClient = new QueryClient()
    const persister = experimental_createQueryPersister({
      storage: itemStorage(this.items),
      ...persistedPositions(queryClient),
    })
    const options = (name: string, tags: readonly [string][] = [[name]]) => {
      const queryFn = async (): Promise<Row> => {
        this.reads.push(name)
        return { version: this.version(name) }
      }
      const tagged = withTags({ queryKey: [name], queryFn, staleTime: Infinity, gcTime: Infinity }, tags)
      return { ...tagged, persister: persister.persisterFn }
    }
    const bind = () => {
      const binding = bindTags({ queryClient, client, environment: loadedAt(Date.now()) })
      return () => binding.close()
    }
    const show = (shown: ReturnType<typeof options> & { readonly enabled?: boolean }): void => {
      new QueryObserver(queryClient, shown).subscribe(() => undefined)
    }
    const versionOf = (name: string) => queryClient.getQueryData<Row>([name])?.version
    return { client, queryClient, persister, options, bind, show, versionOf }
  }

  /** A page that is bound and connected. */
  openLive() {
    const page = this.open()
    page.bind()
    page.client.hello()
    return page
  }

  item(name: string): StoredQuery & Record<string, unknown> {
    return JSON.parse(this.items.get(`tanstack-query-["${name}"]`)!) as StoredQuery & Record<string, unknown>
  }
}

/** The watch requests of a page are batched, the store takes its time, fetches follow. */
async function calm({ client }: { readonly client: ScriptedClient }): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await vi.advanceTimersByTimeAsync(STORE_MS * 2)
    client.answer()
  }
  await settle()
}

/** A page that shows these rows, and is left. */
async function visit(site: Site, ...names: string[]): Promise<void> {
  const page = site.open()
  const close = page.bind()
  page.client.hello()
  for (const name of names) page.show(page.options(name))
  await calm(page)
  close()
  page.queryClient.clear()
}

const ROWS = Array.from({ length: 200 }, (_, i) => `row ${i}`)

describe('after a reload', () => {
  it.each([
    ['before the stream is open', true],
    ['when it is', false],
  ])(
    'of 200 queries, the 3 that changed since are fetched, days later, restored %s (guarantee 8)',
    async (_when, early) => {
      const site = new Site()
      await visit(site, ...ROWS)
      site.change('row 3', 'row 77', 'row 199')
      await vi.advanceTimersByTimeAsync(20 * HOUR_MS)

      const page = site.open()
      page.bind()
      if (!early) page.client.hello()
      for (const name of ROWS) page.show(page.options(name))
      await vi.advanceTimersByTimeAsync(STORE_MS + 1)
      expect(ROWS.map((name) => page.versionOf(name))).toEqual(ROWS.map(() => 0))
      if (early) page.client.hello()
      await calm(page)

      expect(site.reads.toSorted()).toEqual(['row 199', 'row 3', 'row 77'])
      expect(ROWS.map((name) => page.versionOf(name))).toEqual(ROWS.map((name) => site.version(name)))
    },
  )

  it.each([
    ['before the stream is open', true],
    ['when it is', false],
  ])(
    'what was fetched since it changed is not fetched again for an older item beside it, restored %s',
    async (_when, early) => {
      const site = new Site()
      await visit(site, 'a', 'b', 'c')
      site.change('b')
      await visit(site, 'b')
      expect(site.reads).toEqual(['b'])
      site.change('c')

      const page = site.open()
      page.bind()
      if (!early) page.client.hello()
      for (const name of ['a', 'b', 'c']) page.show(page.options(name))
      await vi.advanceTimersByTimeAsync(STORE_MS + 1)
      if (early) page.client.hello()
      await calm(page)

      expect(site.reads).toEqual(['c'])
    },
  )

  it('those that share a tag with it are each as old as they are', async () => {
    const site = new Site()
    for (const name of ['a', 'b']) {
      const visited = site.open()
      const close = visited.bind()
      visited.client.hello()
      visited.show(visited.options(name, [['both']]))
      await calm(visited)
      close()
      if (name === 'a') site.change('both')
    }

    const page = site.openLive()
    for (const name of ['a', 'b']) page.show(page.options(name, [['both']]))
    await calm(page)

    expect(site.reads).toEqual(['a'])
  })

  it('all of them are fetched when the server can no longer say what changed', async () => {
    const site = new Site()
    await visit(site, 'a', 'b')

    const page = site.open()
    page.bind()
    for (const name of ['a', 'b']) page.show(page.options(name))
    await vi.advanceTimersByTimeAsync(STORE_MS + 1)
    page.client.hello()
    page.client.reset()
    await calm(page)

    expect(site.reads.toSorted()).toEqual(['a', 'b'])
  })

  it('what changes while the store is read is fetched (guarantee 7)', async () => {
    const site = new Site()
    await visit(site, 'a')

    const page = site.openLive()
    page.show(page.options('a'))
    await vi.advanceTimersByTimeAsync(STORE_MS / 2)
    page.client.answer()
    site.change('a')
    page.client.deliver()
    await calm(page)

    expect(page.versionOf('a')).toBe(1)
  })

  it('a binding that comes while the store is read knows where they were read, too', async () => {
    const site = new Site()
    await visit(site, 'a', 'b')
    site.change('b')

    const page = site.open()
    for (const name of ['a', 'b']) page.show(page.options(name))
    await vi.advanceTimersByTimeAsync(STORE_MS / 2)
    page.bind()
    page.client.hello()
    await calm(page)

    expect(site.reads).toEqual(['b'])
  })

  it('so does the next binding of the same cache', async () => {
    const site = new Site()
    await visit(site, 'a', 'b')
    site.change('b')

    const page = site.open()
    const close = page.bind()
    for (const name of ['a', 'b']) page.show(page.options(name))
    await vi.advanceTimersByTimeAsync(STORE_MS + 1)
    close()
    page.bind()
    page.client.hello()
    await calm(page)

    expect(site.reads).toEqual(['b'])
  })
})

describe('restoreQueries()', () => {
  it.each<[string, (page: ReturnType<Site['open']>) => void]>([
    ['before anything is bound', () => undefined],
    ['into a cache that is bound', (page) => page.bind()],
  ])('fetches what changed since and nothing else, called %s (guarantee 8)', async (_when, prepare) => {
    const site = new Site()
    await visit(site, 'a', 'b', 'c')
    site.change('b')
    await vi.advanceTimersByTimeAsync(HOUR_MS)

    const page = site.open()
    prepare(page)
    await page.persister.restoreQueries(page.queryClient)
    if (prepare.length === 0) page.bind()
    page.client.hello()
    for (const name of ['a', 'b', 'c']) page.show(page.options(name))
    await calm(page)

    expect(site.reads).toEqual(['b'])
  })

  it('over data that are newer fetches them, at worst once more (guarantee 8)', async () => {
    const site = new Site()
    await visit(site, 'a')
    const kept = new Map(site.items)
    site.change('a')
    const page = site.openLive()
    page.show(page.options('a'))
    await calm(page)
    expect(page.versionOf('a')).toBe(1)

    for (const [key, item] of kept) site.items.set(key, item)
    await page.persister.restoreQueries(page.queryClient)
    await calm(page)

    expect(page.versionOf('a')).toBe(1)
  })
})

describe('data out of the store', () => {
  it('that the app changes are as old as they were, for tags that come later, too (guarantee 8)', async () => {
    const site = new Site()
    await visit(site, 'a')
    site.change('later')

    const page = site.openLive()
    page.show(page.options('a'))
    await vi.advanceTimersByTimeAsync(STORE_MS + 1)
    page.queryClient.setQueryData<Row>(['a'], (row) => ({ ...row!, isMarked: true }) as Row)
    await calm(page)
    expect(site.reads).toEqual([])
    page.show(page.options('a', [['a'], ['later']]))
    await calm(page)

    expect(site.reads).toEqual(['a'])
  })

  it('that the app writes over with what it read when the page began are no newer for that (guarantee 8)', async () => {
    const site = new Site()
    const page = site.openLive()
    const held = { version: site.version('a') }
    site.change('a')
    page.client.deliver()
    // Another tab.
    const log = page.client
    await visit(site, 'a')
    site.client = log
    site.reads = []

    page.show(page.options('a'))
    await vi.advanceTimersByTimeAsync(STORE_MS + 1)
    expect(page.versionOf('a')).toBe(1)
    page.queryClient.setQueryData(['a'], held)
    await calm(page)

    expect(page.versionOf('a')).toBe(1)
  })

  it('of an older item than the one before are asked for from there (guarantee 8)', async () => {
    const site = new Site()
    await visit(site, 'a')
    const old = new Map(site.items)
    site.change('a')
    await visit(site, 'a')

    const page = site.openLive()
    page.show(page.options('a'))
    await calm(page)
    expect(site.reads).toEqual([])
    // A tab that was slow to store.
    for (const [key, item] of old) site.items.set(key, item)
    void page.queryClient.resetQueries({ queryKey: ['a'] })
    await calm(page)

    expect(page.versionOf('a')).toBe(1)
  })

  it('of another user are fetched (guarantee 8)', async () => {
    const site = new Site()
    await visit(site, 'a')
    const item = site.item('a')
    item['@query-tags/cursor'] = { [GLOBAL]: 'e:0', '["user","ada"]': 'e:0' }
    site.items.set('tanstack-query-["a"]', JSON.stringify(item))

    const page = site.openLive()
    page.show(page.options('a'))
    await calm(page)

    expect(site.reads).toEqual(['a'])
  })

  it.each([
    ['no cursor', undefined],
    ['one that can’t be read', { [GLOBAL]: 7 }],
  ])('with %s are fetched (guarantee 8)', async (_what, cursor) => {
    const site = new Site()
    await visit(site, 'a')
    site.items.set('tanstack-query-["a"]', JSON.stringify({ ...site.item('a'), '@query-tags/cursor': cursor }))
    await vi.advanceTimersByTimeAsync(1000)

    const page = site.openLive()
    page.show(page.options('a'))
    await calm(page)

    expect(site.reads).toEqual(['a'])
  })

  it('are no newer for the snapshot of a rendered page beside them (guarantee 8)', async () => {
    const site = new Site()
    await visit(site, 'a')
    site.change('a')

    const page = site.open()
    page.bind()
    carryCursor(page.queryClient, { [GLOBAL]: 'e:1' })
    page.client.hello()
    page.show(page.options('a'))
    await calm(page)

    expect(page.versionOf('a')).toBe(1)
  })

  it('do not make a store of the whole cache say that they are newer than they are (guarantee 8)', async () => {
    const site = new Site()
    await visit(site, 'a')
    site.change('a')

    const page = site.openLive()
    page.client.invalidate(['other'])
    page.show(page.options('a'))
    await vi.advanceTimersByTimeAsync(STORE_MS + 1)
    const [snapshot] = page.queryClient.getQueriesData<{ cursor: Record<string, string> }>({
      queryKey: ['@query-tags/cursor'],
    })

    expect(snapshot?.[1]?.cursor).toEqual({ [GLOBAL]: 'e:0' })
  })
})

const cursorOf = (site: Site, name: string) => site.item(name)['@query-tags/cursor']

describe('what is stored', () => {
  it('says where it was read', async () => {
    const site = new Site()
    site.change('x', 'y')

    await visit(site, 'a')

    expect(cursorOf(site, 'a')).toEqual({ [GLOBAL]: 'e:2' })
  })

  it('waits for the first hello, which says where it was read', async () => {
    const site = new Site()
    const page = site.open()
    page.bind()
    page.show(page.options('a'))
    page.show(page.options('b'))
    await vi.advanceTimersByTimeAsync(STORE_MS * 2)
    expect(site.reads).toEqual(['a', 'b'])
    expect(site.items.size).toBe(0)

    page.client.hello()
    await settle()

    expect(cursorOf(site, 'a')).toEqual({ [GLOBAL]: 'e:0' })
    expect(cursorOf(site, 'b')).toEqual({ [GLOBAL]: 'e:0' })
  })

  it('says nothing of data that the first hello finds old, until they are new (guarantee 8)', async () => {
    const site = new Site()
    const page = site.open()
    page.bind()
    page.show(page.options('a'))
    await vi.advanceTimersByTimeAsync(STORE_MS * 2)
    site.change('a')

    page.client.hello()
    page.client.deliver()
    await settle()
    expect(site.items.size === 0 || cursorOf(site, 'a') === undefined).toBe(true)
    await calm(page)

    expect(cursorOf(site, 'a')).toEqual({ [GLOBAL]: 'e:1' })
    expect(site.item('a').state.data).toEqual({ version: 1 })
  })

  it('says nothing when no hello comes for 10 s', async () => {
    const site = new Site()
    const page = site.open()
    page.bind()
    page.show(page.options('a'))
    await vi.advanceTimersByTimeAsync(9_900)
    expect(site.items.size).toBe(0)
    await vi.advanceTimersByTimeAsync(STORE_MS * 4)

    expect(cursorOf(site, 'a')).toBeUndefined()
    expect(site.items.size).toBe(1)
  })

  it('says nothing of a query without tags, which nobody watches (guarantee 8)', async () => {
    const site = new Site()
    const page = site.openLive()
    page.show(page.options('a', []))
    page.show(page.options('b'))
    await calm(page)

    expect(cursorOf(site, 'a')).toBeUndefined()
    expect(cursorOf(site, 'b')).toBeDefined()
  })

  it('says nothing of data that are marked (guarantee 8)', async () => {
    const site = new Site()
    const page = site.openLive()
    page.show({ ...page.options('a'), enabled: false })
    page.show({ ...page.options('a'), enabled: true })
    await calm(page)
    expect(cursorOf(site, 'a')).toBeDefined()

    page.client.invalidate(['a'])
    await page.persister.persistQueryByKey(['a'], page.queryClient)

    expect(cursorOf(site, 'a')).toBeUndefined()
  })

  it('says nothing of data that are not in this cache (guarantee 8)', async () => {
    const site = new Site()
    const page = site.openLive()
    page.show(page.options('a'))
    await calm(page)
    const { serialize } = persistedPositions(page.queryClient)
    const { state, queryHash, queryKey } = page.queryClient.getQueryCache().find({ queryKey: ['a'] })!

    const own = serialize({ buster: '', state, queryHash, queryKey })
    const other = serialize({ buster: '', state: { ...state, data: { version: 9 } }, queryHash, queryKey })
    const unbound = persistedPositions(new QueryClient()).serialize({ buster: '', state, queryHash, queryKey })

    expect(own).toContain('@query-tags/cursor')
    expect(other).not.toContain('@query-tags/cursor')
    expect(unbound).not.toContain('@query-tags/cursor')
  })

  it('says nothing when nothing is bound any more: what gets into the cache then may be of any age (guarantee 8)', async () => {
    const site = new Site()
    await visit(site, 'a')
    const old = new Map(site.items)
    site.change('a')
    const page = site.open()
    const close = page.bind()
    page.client.hello()
    await settle()
    close()
    await page.persister.restoreQueries(page.queryClient)
    void page.persister.persistQueryByKey(['a'], page.queryClient)
    await vi.advanceTimersByTimeAsync(10_000)

    expect(site.items).not.toEqual(old)
    expect(cursorOf(site, 'a')).toBeUndefined()
  })

  it('says nothing between a change of user and the next hello (guarantee 8)', async () => {
    const site = new Site()
    const page = site.open()
    const close = page.bind()
    page.client.hello()
    page.show(page.options('a'))
    await calm(page)
    close()
    const { queryClient } = page
    bindTags({ queryClient, client: page.client.reload(), scope: { kind: 'user', id: 'grace' } })
    await queryClient.refetchQueries({ queryKey: ['a'] })
    void page.persister.persistQueryByKey(['a'], queryClient)
    await vi.advanceTimersByTimeAsync(10_000)

    expect(cursorOf(site, 'a')).toBeUndefined()
  })
})
