import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openWindow } from './support/app-window.ts'
import { launchChromium } from './support/launch-chromium.ts'
import { startInDevelopment, startOnNitro, startOnSrvx, type StartApp } from './support/start-app.ts'

const SOON = { timeout: 30_000 }
const quickstart = new URL('../test/start-quickstart/', import.meta.url)

let browser: Browser
let app: StartApp | undefined
beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => Promise.all([browser?.close(), app?.process.end('SIGKILL')]))

/** The todos, as the two ways to tag a query show them. */
async function shown(page: Page): Promise<string[]> {
  const [inline, helper] = await Promise.all(
    ['A', 'B'].map((option) => page.getByRole('list', { name: option }).locator('li').allInnerTexts()),
  )
  expect(helper).toEqual(inline)
  return inline!
}

async function add(page: Page, name: string): Promise<void> {
  await page.getByLabel('New todo').fill(name)
  await page.getByLabel('New todo').press('Enter')
}

it.each([
  ['in vite dev', startInDevelopment],
  ['built, on srvx', startOnSrvx],
  ['built with Nitro', startOnNitro],
])('in the program of the quickstart two profiles update each other %s', async (_how, start) => {
  await app?.process.end('SIGKILL')
  app = await start(quickstart)
  const [{ page: one }, { page: two }] = [await openWindow(browser, app.url), await openWindow(browser, app.url)]
  for (const page of [one, two]) {
    await expect.poll(() => page.getByRole('status').innerText(), SOON).toBe('live')
    await expect.poll(() => shown(page), SOON).toEqual(['Follow the quickstart'])
  }

  await add(one, 'Added by one')
  await expect.poll(() => shown(two), SOON).toEqual(['Follow the quickstart', 'Added by one'])
  await add(two, 'Added by two')

  await expect.poll(() => shown(one), SOON).toEqual(['Follow the quickstart', 'Added by one', 'Added by two'])
})
