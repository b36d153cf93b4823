import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createServer, defaultClientConditions, type ViteDevServer } from 'vite'
import { findFreePort } from '../scripts/free-port.ts'
import { openWindow } from './support/app-window.ts'
import { launchChromium } from './support/launch-chromium.ts'

let browser: Browser
let vite: ViteDevServer
beforeAll(async () => {
  vite = await createServer({
    configFile: false,
    root: fileURLToPath(new URL('../packages/testing/test/browser-page/', import.meta.url)),
    resolve: { conditions: ['query-tags-source', ...defaultClientConditions] },
    server: { port: await findFreePort() },
    logLevel: 'warn',
  })
  await vite.listen()
  browser = await launchChromium()
})
afterAll(() => Promise.all([browser?.close(), vite?.close()]))

it('the in-memory system and client of @query-tags/testing run in a page, as in Storybook', async () => {
  const { page } = await openWindow(browser, vite.resolvedUrls!.local[0]!)

  await expect.poll(() => page.title(), { timeout: 20_000 }).toBe('fetched 2 times')
})
