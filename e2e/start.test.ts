import { utimesSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openWindow, type AppWindow } from './support/app-window.ts'
import { launchChromium } from './support/launch-chromium.ts'
import {
  NO_ROBOT,
  START_APP,
  startInDevelopment,
  startOnNitro,
  startOnSrvx,
  type StartApp,
} from './support/start-app.ts'

const SOON = { timeout: 30_000 }

let browser: Browser
beforeAll(async () => {
  browser = await launchChromium()
})
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())))
afterAll(() => browser?.close())

let app: StartApp

async function openQuiet(path: string): Promise<AppWindow> {
  const window = await openWindow(browser, app.url + path)
  await expect.poll(() => window.isQuiet(), SOON).toBe(true)
  return window
}

/** As an editor does that saves a file without a change. */
function touch(file: string): void {
  const now = new Date()
  utimesSync(new URL(file, START_APP), now, now)
}

/** What holds however the app runs. */
function itStaysCurrent(start: (app: URL) => Promise<StartApp>): void {
  beforeAll(async () => {
    app = await start(START_APP)
  })
  afterAll(() => app?.process.end('SIGKILL'))

  it('two profiles update each other, and a hydrated page fetches nothing else (guarantee 8)', async () => {
    const [one, two] = [await openQuiet('/basic'), await openQuiet('/basic')]
    expect([one.serverReads(), two.serverReads()]).toEqual([0, 0])

    const bothShow = async (todo: string): Promise<void> => {
      for (const window of [one, two]) {
        await expect.poll(() => window.list('Todos'), SOON).toContain(todo)
        await expect.poll(() => window.isQuiet(), SOON).toBe(true)
      }
    }
    await one.add('New todo', 'Added by one')
    // Before the next change, or one fetch may show both.
    await bothShow('Added by one')
    await two.add('New todo', 'Added by two')
    await bothShow('Added by two')

    // Also the window that made the change, which hears of it twice: from the answer, and as everybody does.
    for (const window of [one, two]) {
      expect([await window.fetches('todos'), await window.fetches('notes')]).toEqual([2, 0])
      expect(window.serverReads()).toBe(2)
    }
  })

  it('a query that was read on the server before a change, and streamed after it, is fetched once more (guarantee 8)', async () => {
    const other = await openQuiet('/basic')
    const before = (await other.page.getByRole('checkbox', { checked: true }).count()) + 1
    const context = await browser.newContext({ userAgent: NO_ROBOT })
    const page = await context.newPage()
    await page.goto(`${app.url}/streaming`, { waitUntil: 'commit' })
    await page.getByText('The summary is on its way').waitFor()

    await other.page.getByRole('checkbox', { checked: false }).first().click()

    await expect.poll(() => page.getByRole('region', { name: 'Summary' }).innerText(), SOON).toContain(`${before} of`)
    for (const query of ['slow summary', 'todos'])
      expect(await page.getByRole('row', { name: query, exact: true }).locator('.count').innerText()).toBe('1')
  })

  it('a window that leaves makes the server print nothing of ours', async () => {
    const stays = await openQuiet('/basic')
    const leaves = await openQuiet('/basic')
    await leaves.page.context().close()

    await stays.add('New todo', 'After somebody left')
    await expect.poll(() => stays.list('Todos'), SOON).toContain('After somebody left')

    expect(app.process.output).not.toMatch(/error|abort|query-tags/i)
  })
}

describe('the Start example built, on srvx', () => {
  itStaysCurrent(startOnSrvx)
})

describe('the Start example built with Nitro', () => {
  itStaysCurrent(startOnNitro)
})

describe('the Start example in vite dev', () => {
  itStaysCurrent(startInDevelopment)

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

    await page.evaluate(() => Object.assign(globalThis, { neverReloaded: true }))
    touch('src/lib/invalidator-client.ts')
    await expect.poll(() => opened.length, SOON).toBe(1)
    await expect.poll(() => window.isQuiet(), SOON).toBe(true)
    await other.add('New todo', 'After the update')

    await expect.poll(() => window.list('Todos'), SOON).toContain('After the update')
    expect(open.size).toBe(1)
    expect(await page.evaluate(() => 'neverReloaded' in globalThis)).toBe(true)
  })
})
