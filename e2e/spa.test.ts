import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findFreePort } from '../scripts/free-port.ts'
import { AppWindow, openWindow } from './support/app-window.ts'
import { startExampleServer } from './support/example-server.ts'
import { launchChromium } from './support/launch-chromium.ts'
import type { RunningProcess } from './support/run-process.ts'
import { type Site, serveSpa } from './support/serve-spa.ts'

const SOON = { timeout: 20_000 }

let port: number
let browser: Browser
let site: Site
beforeAll(async () => {
  port = await findFreePort()
  ;[browser, site] = await Promise.all([launchChromium(), serveSpa(`http://localhost:${port}`)])
})
afterAll(() => Promise.all([browser?.close(), site?.close()]))

let server: RunningProcess
beforeEach(async () => {
  server = await startExampleServer(port)
})
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()))
  await server.end('SIGKILL')
})

/** A new server can't say what happened before it started, so each page first refetches everything once. */
async function openQuietWindow(path = '/todos'): Promise<AppWindow> {
  const window = await openWindow(browser, `${site.url}${path}`)
  await expect.poll(() => window.invalidations(), SOON).toEqual([expect.stringContaining('Started over')])
  await expect.poll(() => window.isQuiet(), SOON).toBe(true)
  return window
}

const FIRST_TODOS = ['Water the plants', 'Call the bike shop', 'Book the train to Ghent']

describe('two windows in profiles of their own', () => {
  it('show what was added in either, and notes are not asked for', async () => {
    const [one, two] = [await openQuietWindow(), await openQuietWindow()]
    expect(await one.list('Todos')).toEqual(FIRST_TODOS)
    const before = [one, two].map((window) => window.requests('GET /api/notes'))

    await one.add('New todo', 'Buy coffee')

    await expect.poll(() => two.list('Todos'), SOON).toEqual([...FIRST_TODOS, 'Buy coffee'])
    await two.add('New todo', 'Buy tea')
    await expect.poll(() => one.list('Todos'), SOON).toEqual([...FIRST_TODOS, 'Buy coffee', 'Buy tea'])
    expect([one, two].map((window) => window.requests('GET /api/notes'))).toEqual(before)

    // What a todo asks of the notes would have been asked before this: the stream keeps its order.
    await one.add('New note', 'The end')
    await expect.poll(() => two.list('Notes'), SOON).toContain('The end')
    expect(two.requests('GET /api/notes')).toBe(before[1]! + 1)
  })

  it('show a rename, a deletion, and both on the page of one todo', async () => {
    const [one, two] = [await openQuietWindow(), await openQuietWindow()]
    await two.follow('Call the bike shop')
    await expect.poll(() => two.list('Todo 2'), SOON).toEqual(['Call the bike shop'])

    await one.rename('Call the bike shop', 'Sell the bike')
    await expect.poll(() => two.list('Todo 2'), SOON).toEqual(['Sell the bike'])

    await one.delete('Sell the bike')
    await expect.poll(() => two.text(), SOON).toContain('This todo was deleted.')
    await two.follow('All todos')
    await expect.poll(() => two.list('Todos'), SOON).toEqual(['Water the plants', 'Book the train to Ghent'])
    expect(await one.list('Todos')).toEqual(['Water the plants', 'Book the train to Ghent'])
  })

  it('converge to what a killed and restarted server has, without a reload', async () => {
    const windows = [await openQuietWindow(), await openQuietWindow()]
    await windows[0]!.add('New todo', 'Known to the first server only')
    await expect.poll(() => windows[1]!.list('Todos'), SOON).toContain('Known to the first server only')
    await Promise.all(
      windows.map((window) => window.page.evaluate(() => Object.assign(globalThis, { neverReloaded: true }))),
    )

    await server.end('SIGKILL')
    server = await startExampleServer(port)
    await fetch(`http://localhost:${port}/api/todos`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ title: 'Known to the second server' }),
    })

    for (const window of windows) {
      await expect.poll(() => window.list('Todos'), SOON).toEqual([...FIRST_TODOS, 'Known to the second server'])
      await expect.poll(() => window.isQuiet(), SOON).toBe(true)
      expect((await window.invalidations())[0]).toContain('Started over')
      expect(await window.page.evaluate(() => 'neverReloaded' in globalThis)).toBe(true)
    }
  })
})

it('a user whose session the server forgot is signed out, without a reload, and hears what visitors hear', async () => {
  const window = await openQuietWindow()
  await window.switchUser('Ada')
  await expect.poll(async () => (await window.list('Notes'))[0], SOON).toContain('Only Ada sees this')

  await server.end('SIGKILL')
  server = await startExampleServer(port)

  await expect.poll(() => window.text(), SOON).toContain('Sign in as')
  await expect.poll(() => window.isQuiet(), SOON).toBe(true)
  expect(await window.text()).not.toContain('Only Ada')
  await window.add('New note', 'A note for everybody')
  await expect.poll(() => window.list('Notes'), SOON).toContain('A note for everybody')
})

it('shows two live windows side by side at /, and what is added in one appears in the other', async () => {
  const { page } = await openWindow(browser, site.url)
  await expect.poll(() => page.frames().length, SOON).toBe(3)
  const [one, two] = page
    .frames()
    .slice(1)
    .map((frame) => new AppWindow(frame))
  for (const window of [one!, two!]) await expect.poll(() => window.isQuiet(), SOON).toBe(true)

  await one!.add('New todo', 'Seen in both')

  await expect.poll(() => two!.list('Todos'), SOON).toContain('Seen in both')
})
