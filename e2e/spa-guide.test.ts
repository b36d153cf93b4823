import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createServer, defaultClientConditions, type ViteDevServer } from 'vite'
import { findFreePort } from '../scripts/free-port.ts'
import { openWindow } from './support/app-window.ts'
import { launchChromium } from './support/launch-chromium.ts'
import { RunningProcess } from './support/run-process.ts'

const guide = new URL('../test/spa-guide/', import.meta.url)

let browser: Browser
let server: RunningProcess
let vite: ViteDevServer
beforeAll(async () => {
  const [port, pagePort] = [await findFreePort(), await findFreePort()]
  server = new RunningProcess(['server.ts'], { cwd: guide, env: { PORT: String(port) } })
  await server.printed(/listening/)

  process.env['VITE_API_URL'] = `http://localhost:${port}`
  vite = await createServer({
    root: fileURLToPath(guide),
    resolve: { conditions: ['query-tags-source', ...defaultClientConditions] },
    server: { port: pagePort },
    logLevel: 'warn',
  })
  delete process.env['VITE_API_URL']
  await vite.listen()
  browser = await launchChromium()
})
afterAll(() => Promise.all([browser?.close(), vite?.close(), server?.end('SIGKILL')]))

it('the program of the SPA guide shows a todo that somebody else adds', async () => {
  const address = vite.resolvedUrls?.local[0]
  const { page } = await openWindow(browser, address!)
  const titles = () => page.locator('li').allInnerTexts()
  await expect.poll(titles, { timeout: 20_000 }).toEqual(['Read the guide'])

  await fetch(new URL('/api/todos', address), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ title: 'Write a program' }),
  })

  await expect.poll(titles, { timeout: 20_000 }).toEqual(['Read the guide', 'Write a program'])
})
