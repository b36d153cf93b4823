import { readdirSync, readFileSync, utimesSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openWindow, type AppWindow } from './support/app-window.ts'
import { launchChromium } from './support/launch-chromium.ts'
import { START_APP, startBuilt, startInDevelopment, type StartApp } from './support/start-app.ts'

/** Robots, as the usual name of a headless browser says that it is one, get a page only when it is complete. */
const NO_ROBOT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'

const SOON = { timeout: 30_000 }

let browser: Browser
let built: StartApp & { readonly since: number }
beforeAll(async () => {
  browser = await launchChromium()
  built = { ...(await startBuilt()), since: Date.now() }
})
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())))
afterAll(() => Promise.all([browser?.close(), built?.process.end('SIGKILL')]))

let app: StartApp

async function openQuiet(path: string): Promise<AppWindow> {
  const window = await openWindow(browser, app.url + path)
  await expect.poll(() => window.isQuiet(), SOON).toBe(true)
  return window
}

/** Opens a page whose scripts wait until they are let through: rendered, and not connected. */
async function openHeld(path: string): Promise<{ page: Page; release: () => Promise<void> }> {
  const page = await (await browser.newContext()).newPage()
  const released = Promise.withResolvers<void>()
  await page.route('**/*', async (route) => {
    if (route.request().resourceType() === 'script') await released.promise
    await route.continue()
  })
  await page.goto(app.url + path, { waitUntil: 'commit' })
  return {
    page,
    release: async () => {
      released.resolve()
      await page.waitForLoadState()
    },
  }
}

const titles = (page: Page): Promise<string[]> =>
  page.getByRole('list', { name: 'Todos' }).locator('.row-title').allInnerTexts()

/** The query table of a page that was opened by hand. */
const fetches = async (page: Page, query: string): Promise<number> =>
  Number(await page.getByRole('row', { name: query, exact: true }).locator('.count').innerText())

const textOf = (folder: 'client' | 'server'): string =>
  readdirSync(new URL(`dist/${folder}/`, START_APP), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => readFileSync(new URL(`dist/${folder}/${name}`, START_APP), 'utf8'))
    .join('\n')

const count = (page: Page): Promise<string> => page.getByLabel('Fetches').innerText()

/** Runs in the page: how many entries the store has with data that nothing was said against, the cursor's among them. */
function countStored(): number {
  const stored = localStorage.getItem('query-tags-rows')
  if (stored === null) return 0
  const { clientState } = JSON.parse(stored) as {
    clientState: { queries: { state: { data?: unknown; isInvalidated: boolean } }[] }
  }
  return clientState.queries.filter(({ state }) => state.data !== undefined && !state.isInvalidated).length
}

/** As an editor does that saves a file without a change. */
function touch(file: string): void {
  const now = new Date()
  utimesSync(new URL(file, START_APP), now, now)
}

/** What holds however the app runs. */
function itStaysCurrent(): void {
  it('two profiles update each other, and a hydrated page fetches nothing else (guarantee 8)', async () => {
    const [one, two] = [await openQuiet('/basic'), await openQuiet('/basic')]

    await one.add('New todo', 'Added by one')
    await expect.poll(() => two.list('Todos'), SOON).toContain('Added by one')
    // Of a change of its own a page may hear before and after it has fetched; of somebody else's, once.
    expect(await two.fetches('todos')).toBe(1)
    await two.add('New todo', 'Added by two')
    await expect.poll(() => one.list('Todos'), SOON).toContain('Added by two')

    expect(await Promise.all([one, two].map((window) => window.fetches('notes')))).toEqual([0, 0])
  })
}

describe('the Start example in vite dev', () => {
  beforeAll(async () => {
    app = await startInDevelopment()
  })
  afterAll(() => app?.process.end('SIGKILL'))

  itStaysCurrent()

  it('a window that leaves makes the server print nothing of ours', async () => {
    const stays = await openQuiet('/basic')
    const leaves = await openQuiet('/basic')
    await leaves.page.context().close()

    await stays.add('New todo', 'After somebody left')
    await expect.poll(() => stays.list('Todos'), SOON).toContain('After somebody left')

    expect(app.process.output).not.toMatch(/error|abort|query-tags/i)
  })

  it('a window hears of changes after the module of the system was edited', async () => {
    const [one, two] = [await openQuiet('/basic'), await openQuiet('/basic')]

    touch('src/lib/tag-invalidation.ts')
    await app.process.printed(/\(ssr\) (hmr|page)/)
    await one.add('New todo', 'After an edit')

    await expect.poll(() => two.list('Todos'), SOON).toContain('After an edit')
  })

  it('a hot update of the module that makes the client leaves one stream', async () => {
    const window = await openQuiet('/basic')
    const { page } = window
    const open = new Set<unknown>()
    const opened: string[] = []
    page.on('request', (request) => {
      if (new URL(request.url()).pathname !== '/api/invalidator') return
      opened.push(request.url())
      open.add(request)
    })
    page.on('requestfailed', (request) => open.delete(request))
    page.on('requestfinished', (request) => open.delete(request))
    const other = await openQuiet('/basic')

    touch('src/integrations/tanstack-query/root-provider.tsx')
    await expect.poll(() => opened.length, SOON).toBe(1)
    await expect.poll(() => window.isQuiet(), SOON).toBe(true)
    await other.add('New todo', 'After the update')

    await expect.poll(() => window.list('Todos'), SOON).toContain('After the update')
    expect(open.size).toBe(1)
  })
})

describe('the Start example, built, on srvx', () => {
  beforeAll(() => {
    app = built
  })

  itStaysCurrent()

  it('what changed between the read on the server and the connect is fetched once, and nothing else (guarantee 8)', async () => {
    const other = await openQuiet('/basic')
    const { page, release } = await openHeld('/basic')
    await expect.poll(() => titles(page), SOON).toContain('Water the plants')

    await other.add('New todo', 'Added in the gap')
    await expect.poll(() => other.list('Todos'), SOON).toContain('Added in the gap')
    expect(await titles(page)).not.toContain('Added in the gap')
    await release()

    await expect.poll(() => titles(page), SOON).toContain('Added in the gap')
    expect(await fetches(page, 'todos')).toBe(1)
    expect(await fetches(page, 'notes')).toBe(0)
  })

  it('a query that was read on the server before a change, and streamed after it, is fetched once more (guarantee 8)', async () => {
    const other = await openQuiet('/basic')
    const before = (await other.page.getByRole('checkbox', { checked: true }).count()) + 1
    const page = await (await browser.newContext({ userAgent: NO_ROBOT })).newPage()
    await page.goto(`${app.url}/streaming`, { waitUntil: 'commit' })
    await page.getByText('The summary is on its way').waitFor()

    await other.page.getByRole('checkbox', { checked: false }).first().click()

    await expect.poll(() => page.getByRole('region', { name: 'Summary' }).innerText(), SOON).toContain(`${before} of`)
    expect(await fetches(page, 'slow summary')).toBe(1)
    expect(await fetches(page, 'todos')).toBe(1)
  })

  it('a loader runs again in another window when its tag is invalidated', async () => {
    const [one, two] = [await openQuiet('/loaders'), await openQuiet('/loaders')]

    await one.add('New note', 'Seen by both loaders')

    await expect.poll(() => two.list('Notes'), SOON).toContain('Seen by both loaders')
    await expect.poll(() => one.list('Notes'), SOON).toContain('Seen by both loaders')
  })

  it('has nothing of the server in what browsers get', () => {
    const ofServer = ['The connection is not here', 'x-accel-buffering', 'Book the train to Ghent', 'insertTodo']

    expect(ofServer.filter((words) => textOf('server').includes(words))).toEqual(ofServer)
    expect(ofServer.filter((words) => textOf('client').includes(words))).toEqual([])
  })

  it('of a persisted cache of 200 queries, the 3 that changed since the last visit are fetched', async () => {
    // A page reaches back 30 s beyond its load, and a younger server in memory can't say what was then.
    await expect.poll(() => Date.now() - built.since, { timeout: 40_000 }).toBeGreaterThan(35_000)
    const visit = await openQuiet('/persisted')
    await expect.poll(() => visit.page.evaluate(countStored), SOON).toBe(201)
    const context = visit.page.context()
    await visit.page.close()
    const other = await openQuiet('/persisted')
    const before = Number(await count(other.page))
    await other.page.getByRole('button', { name: 'Change three rows' }).click()
    await expect.poll(() => count(other.page), SOON).toBe(String(before + 3))

    const page = await context.newPage()
    await page.goto(`${app.url}/persisted`)

    await expect.poll(() => count(page), SOON).toBe('3')
    const rows = await page.getByRole('list', { name: 'Rows' }).locator('li').allInnerTexts()
    expect(rows.filter((row) => row === '1')).toHaveLength(3)
  })

  it('refuses a cross-site POST to the route, and one to a server function', async () => {
    const init = { method: 'POST', headers: { 'sec-fetch-site': 'cross-site', 'content-type': 'application/json' } }

    expect((await fetch(`${app.url}/api/invalidator`, { ...init, body: '{}' })).status).toBe(403)
    expect((await fetch(`${app.url}/_serverFn/any`, { ...init, body: '{}' })).status).toBe(403)
  })
})
