import { withTags } from '@query-tags/core'
import { QueryClient, QueryObserver } from '@tanstack/query-core'
import {
  experimental_createQueryPersister,
  persistQueryClient,
  persistQueryClientRestore,
  persistQueryClientSave,
  type PersistedClient,
  type Persister,
} from '@tanstack/query-persist-client-core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { bindTags, carryCursor } from '../src/index.ts'
import { itemStorage, loadedAt, pause, STORE_MS } from './item-storage.ts'
import { ScriptedClient } from './scripted-client.ts'
import { settle } from './world.ts'

// TanStack's own persisters, on a store that takes its time.

const GLOBAL = '["global",null]'
const HOUR_MS = 3_600_000

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => vi.useRealTimers())

/** Rows by name, what was read of them, and what the browser keeps between visits. */
class Site {
  client: ScriptedClient = new ScriptedClient()
  readonly reads: string[] = []
  readonly rows = new Map<string, number>()
  readonly items = new Map<string, string>()
  stored: string | undefined

  readonly persister: Persister = {
    persistClient: (client) => {
      this.stored = JSON.stringify(client)
    },
    restoreClient: async () => {
      await pause(STORE_MS)
      return this.stored === undefined ? undefined : (JSON.parse(this.stored) as PersistedClient)
    },
    removeClient: () => {
      this.stored = undefined
    },
  }

  readonly perQuery = experimental_createQueryPersister({
    storage: itemStorage(this.items),
  })

  readonly options = (name: string) => {
    const queryFn = async (): Promise<number> => {
      this.reads.push(name)
      return this.rows.get(name) ?? 0
    }
    return withTags({ queryKey: [name], queryFn, staleTime: Infinity, gcTime: Infinity }, [[name]])
  }

  readonly persisted = (name: string) => ({ ...this.options(name), persister: this.perQuery.persisterFn })

  change(name: string): void {
    this.rows.set(name, (this.rows.get(name) ?? 0) + 1)
    this.client.record([name])
  }

  /** @param prepare What is in the cache before it is bound. */
  async open(prepare?: (queryClient: QueryClient) => unknown) {
    this.client = this.client.reload()
    this.reads.length = 0
    const { client } = this
    const queryClient = new QueryClient()
    await prepare?.(queryClient)
    const binding = bindTags({ queryClient, client, environment: loadedAt(Date.now()) })
    return {
      queryClient,
      show: (options: ReturnType<Site['options']> & { enabled?: boolean }): void => {
        new QueryObserver(queryClient, options).subscribe(() => undefined)
      },
      leave: (): void => {
        binding.close()
        queryClient.clear()
      },
    }
  }
}

/** The watch requests of a page are batched, the store takes its time, fetches follow. */
async function calm(site: Site): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await vi.advanceTimersByTimeAsync(STORE_MS * 2)
    site.client.answer()
  }
  await settle()
}

describe('persistQueryClient', () => {
  const names = Array.from({ length: 200 }, (_, i) => `row ${i}`)

  async function visit(site: Site): Promise<void> {
    const { queryClient, show, leave } = await site.open()
    site.client.hello()
    for (const name of names) show(site.options(name))
    await calm(site)
    await persistQueryClientSave({ queryClient, persister: site.persister })
    leave()
  }

  it('of a cache of 200 queries, the 3 that changed since are fetched, days later (guarantee 8)', async () => {
    const site = new Site()
    await visit(site)
    for (const name of ['row 3', 'row 77', 'row 199']) site.change(name)
    await vi.advanceTimersByTimeAsync(20 * HOUR_MS)

    const { queryClient, show } = await site.open()
    await Promise.all([
      persistQueryClientRestore({ queryClient, persister: site.persister }),
      vi.advanceTimersByTimeAsync(STORE_MS),
    ])
    for (const name of names) show(site.options(name))
    site.client.hello()
    await calm(site)

    expect(site.reads.toSorted()).toEqual(['row 199', 'row 3', 'row 77'])
  })

  it('what changes before, during and after the restore is fetched, and nothing else', async () => {
    const site = new Site()
    await visit(site)

    const { queryClient, show } = await site.open()
    const [, restored] = persistQueryClient({ queryClient, persister: site.persister })
    site.change('row 1')
    site.client.hello()
    await vi.advanceTimersByTimeAsync(STORE_MS / 2)
    site.change('row 2')
    site.client.deliver()
    await vi.advanceTimersByTimeAsync(STORE_MS)
    await restored
    site.change('row 3')
    site.client.deliver()
    for (const name of names) show(site.options(name))
    await calm(site)

    expect(site.reads.toSorted()).toEqual(['row 1', 'row 2', 'row 3'])
  })

  it.each<[string, number, string[]]>([
    ['14 s before the page: as old as a server with a clock behind may say of it', 14_000, []],
    ['16 s before the page: older than what the first hello reaches back to', 16_000, ['a']],
  ])('what was stored without a cursor, read %s (guarantee 8)', async (_what, ms, reads) => {
    const site = new Site()
    const { queryClient: unconnected, show: showFirst, leave } = await site.open()
    showFirst(site.options('a'))
    await settle()
    await persistQueryClientSave({ queryClient: unconnected, persister: site.persister })
    leave()
    await vi.advanceTimersByTimeAsync(ms)

    const { queryClient, show } = await site.open()
    await Promise.all([
      persistQueryClientRestore({ queryClient, persister: site.persister }),
      vi.advanceTimersByTimeAsync(STORE_MS),
    ])
    show(site.options('a'))
    site.client.hello()
    await calm(site)

    expect(site.reads).toEqual(reads)
  })

  it('everything is fetched when the server can no longer say what changed', async () => {
    const site = new Site()
    await visit(site)

    const { queryClient, show } = await site.open()
    await Promise.all([
      persistQueryClientRestore({ queryClient, persister: site.persister }),
      vi.advanceTimersByTimeAsync(STORE_MS),
    ])
    for (const name of names) show(site.options(name))
    site.client.hello()
    site.client.reset()
    await vi.advanceTimersByTimeAsync(10_000)

    expect(new Set(site.reads).size).toBe(200)
  })
})

async function store(site: Site): Promise<void> {
  const { show, leave } = await site.open()
  site.client.hello()
  show(site.persisted('a'))
  await calm(site)
  expect(site.items.size).toBe(1)
  leave()
}

const restore = (site: Site, queryClient: QueryClient) => site.perQuery.restoreQueries(queryClient)
const render = (queryClient: QueryClient) => carryCursor(queryClient, { [GLOBAL]: 'e:1' })

describe('the per-query persister', () => {
  it.each([
    ['an hour ago', HOUR_MS],
    ['a second ago', 1000],
    ['an hour ahead of now, since the clock was set back', -HOUR_MS],
  ])('shows what it stored %s, and fetches it anew (guarantee 8)', async (_ago, ms) => {
    const site = new Site()
    await store(site)
    site.change('a')
    if (ms > 0) await vi.advanceTimersByTimeAsync(ms)
    else vi.setSystemTime(Date.now() + ms)

    const { queryClient, show } = await site.open()
    site.client.hello()
    show(site.persisted('a'))
    await vi.advanceTimersByTimeAsync(STORE_MS)
    const shownFirst = queryClient.getQueryData(['a'])
    await calm(site)

    expect(shownFirst).toBe(0)
    expect(queryClient.getQueryData(['a'])).toBe(1)
    expect(site.reads).toEqual(['a'])
  })

  it('is not trusted more beside the snapshot of a rendered page (guarantee 8)', async () => {
    const site = new Site()
    await store(site)
    site.change('a')
    await vi.advanceTimersByTimeAsync(HOUR_MS)

    const { queryClient, show } = await site.open()
    carryCursor(queryClient, { [GLOBAL]: 'e:1' })
    site.client.hello()
    show(site.persisted('a'))
    await calm(site)

    expect(queryClient.getQueryData(['a'])).toBe(1)
  })

  it('does not lose what changes while it reads its store (guarantee 7)', async () => {
    const site = new Site()
    await store(site)

    const { queryClient, show } = await site.open()
    site.client.hello()
    show(site.persisted('a'))
    await vi.advanceTimersByTimeAsync(STORE_MS / 2)
    site.client.answer()
    site.change('a')
    site.client.deliver()
    await calm(site)

    expect(queryClient.getQueryData(['a'])).toBe(1)
  })

  it('what it restores into the cache without a fetch is not taken for new (guarantee 8)', async () => {
    const site = new Site()
    await store(site)
    site.change('a')
    await vi.advanceTimersByTimeAsync(HOUR_MS)

    const { queryClient, show } = await site.open()
    site.client.hello()
    queryClient.setQueryDefaults(['a'], { meta: site.options('a').meta })
    const item = JSON.parse([...site.items.values()][0]!) as { state: { data: number; dataUpdatedAt: number } }
    queryClient.setQueryData(['a'], item.state.data, { updatedAt: item.state.dataUpdatedAt })
    show(site.persisted('a'))
    await calm(site)

    expect(queryClient.getQueryData(['a'])).toBe(1)
  })

  it.each<[string, (site: Site) => Promise<QueryClient>]>([
    [
      'before its query has tags',
      async (site) => {
        const { queryClient, show } = await site.open(render)
        await restore(site, queryClient)
        show(site.options('a'))
        return queryClient
      },
    ],
    [
      'into a query with tags',
      async (site) => {
        const { queryClient, show } = await site.open(render)
        show({ ...site.options('a'), enabled: false })
        await restore(site, queryClient)
        show(site.options('a'))
        return queryClient
      },
    ],
  ])(
    'what it stored a second ago is no newer than the cursor of a rendered page, restored %s (guarantee 8)',
    async (_when, open) => {
      const site = new Site()
      await store(site)
      site.change('a')
      await vi.advanceTimersByTimeAsync(1000)

      const queryClient = await open(site)
      site.client.hello()
      await calm(site)

      expect(queryClient.getQueryData(['a'])).toBe(1)
      expect(site.reads).toEqual(['a'])
    },
  )

  it('of 200 queries that it restores, shows all at once and fetches each once, when it is used', async () => {
    const names = Array.from({ length: 200 }, (_, i) => `row ${i}`)
    const site = new Site()
    const first = await site.open()
    site.client.hello()
    for (const name of names) first.show(site.persisted(name))
    await calm(site)
    first.leave()
    await vi.advanceTimersByTimeAsync(HOUR_MS)

    const { queryClient, show } = await site.open()
    await restore(site, queryClient)
    site.client.hello()
    for (const name of names.slice(0, 20)) show(site.persisted(name))
    const shown = names.filter((name) => queryClient.getQueryData([name]) === 0)
    await calm(site)

    expect(shown).toEqual(names)
    expect(site.reads.toSorted()).toEqual(names.slice(0, 20).toSorted())
  })
})

it('data that are written after the clock was set back do not pass for those of a store', async () => {
  const site = new Site()
  const { queryClient, show } = await site.open()
  site.client.hello()
  show(site.options('a'))
  await calm(site)
  await vi.advanceTimersByTimeAsync(60_000)
  site.reads.length = 0

  vi.setSystemTime(Date.now() - HOUR_MS)
  queryClient.setQueryData(['a'], 1)
  await calm(site)

  expect(site.reads).toEqual([])
})
