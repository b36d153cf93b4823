import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { openWindowIn, type AppWindow } from './support/app-window.ts'
import { launchChromium, launchProfile } from './support/launch-chromium.ts'
import { START_APP, startAnotherOnSrvx, startOnSrvx, type StartApp } from './support/start-app.ts'

const SOON = { timeout: 30_000 }

let browser: Browser
const servers: StartApp[] = []
beforeAll(async () => {
  browser = await launchChromium()
  // A page reaches back 30 s beyond its load: what happened in the test before would count, so each test has a server of its own. And a
  // younger server in memory can't say what was then.
  servers.push(await startOnSrvx(START_APP))
  while (servers.length < 4) servers.push(await startAnotherOnSrvx(START_APP))
  await new Promise((resolve) => setTimeout(resolve, 31_000))
})
afterAll(() => Promise.all([browser?.close(), ...servers.map((server) => server.process.end('SIGKILL'))]))

let app: StartApp
let directory: string
let profile: BrowserContext
let other: AppWindow
let tests = 0
beforeEach(async () => {
  app = servers[tests++]!
  directory = mkdtempSync(join(tmpdir(), 'query-tags-profile-'))
  profile = await launchProfile(directory)
  other = await openRows(await browser.newContext())
})
afterEach(async () => {
  await Promise.all([profile, ...browser.contexts()].map((context) => context.close()))
  rmSync(directory, { recursive: true })
})

/** Opens the page of 200 queries in a profile. */
async function openRows(context: BrowserContext): Promise<AppWindow> {
  const window = await openWindowIn(context, `${app.url}/persisted`)
  await expect.poll(() => window.isQuiet(), SOON).toBe(true)
  return window
}

/** Waits until the profile has all that the page needs for another visit: 200 queries and their cursor, and the page itself. */
async function untilKept({ page }: AppWindow): Promise<void> {
  await expect.poll(() => page.evaluate(countStored), SOON).toBe(201)
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
}

/** Runs in the page: how many entries the store has with data that nothing was said against, the cursor's among them. */
function countStored(): number {
  const stored = localStorage.getItem('query-tags-rows')
  if (stored === null) return 0
  const { clientState } = JSON.parse(stored) as {
    clientState: { queries: { state: { data?: unknown; isInvalidated: boolean } }[] }
  }
  return clientState.queries.filter(({ state }) => state.data !== undefined && !state.isInvalidated).length
}

const fetches = async ({ page }: AppWindow): Promise<number> => Number(await page.getByLabel('Fetches').innerText())

const rows = ({ page }: AppWindow): Promise<string[]> =>
  page.getByRole('list', { name: 'Rows' }).locator('li').allInnerTexts()

/** Somebody else changes three rows. */
async function changeThree(): Promise<void> {
  const before = await fetches(other)
  await other.page.getByRole('button', { name: 'Change three rows' }).click()
  await expect.poll(() => fetches(other), SOON).toBe(before + 3)
}

it('of a persisted cache of 200 queries, the 3 that changed while the browser was closed are fetched (guarantee 8)', async () => {
  const visit = await openRows(profile)
  expect(visit.serverReads()).toBe(200)
  await untilKept(visit)
  await profile.close()

  await changeThree()
  profile = await launchProfile(directory)
  const again = await openRows(profile)

  await expect.poll(() => rows(again), SOON).toEqual(await rows(other))
  expect(again.serverReads()).toBe(3)
  expect(again.requests('POST /api/invalidator')).toBe(1)
})

it('opened without a network it shows what it had, and back in the network it fetches what changed (guarantee 8)', async () => {
  const visit = await openRows(profile)
  const before = await rows(visit)
  await untilKept(visit)
  await profile.close()

  await changeThree()
  profile = await launchProfile(directory)
  await profile.setOffline(true)
  const again = await openWindowIn(profile, `${app.url}/persisted`)
  await expect.poll(() => again.connection.innerText(), SOON).toBe('Offline')
  expect(await rows(again)).toEqual(before)
  expect(await fetches(again)).toBe(0)
  await profile.setOffline(false)

  await expect.poll(() => rows(again), SOON).toEqual(await rows(other))
  await expect.poll(() => again.isQuiet(), SOON).toBe(true)
  expect(again.serverReads()).toBe(3)
})

it('a page that was offline for a while fetches what changed meanwhile, once (guarantee 1)', async () => {
  const window = await openRows(profile)
  await profile.setOffline(true)
  await expect.poll(() => window.connection.innerText(), SOON).toBe('Offline')

  await changeThree()
  await profile.setOffline(false)

  await expect.poll(() => rows(window), SOON).toEqual(await rows(other))
  await expect.poll(() => window.isQuiet(), SOON).toBe(true)
  expect(window.serverReads()).toBe(203)
})

it('what another user left in the browser is fetched anew (guarantee 8)', async () => {
  const scopes = await openWindowIn(profile, `${app.url}/scopes`)
  await scopes.switchUser('Ada')
  await expect.poll(() => scopes.text(), SOON).toContain('Only Ada')
  const visit = await openRows(profile)
  await untilKept(visit)
  await visit.page.close()
  const again = await openRows(profile)
  expect(again.serverReads()).toBe(0)
  await again.page.close()

  await scopes.switchUser(undefined)
  await scopes.switchUser('Grace')
  await expect.poll(() => scopes.text(), SOON).toContain('Only Grace')
  const later = await openRows(profile)

  await expect.poll(() => later.serverReads(), SOON).toBe(200)
})
