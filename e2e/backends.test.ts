import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { findFreePort } from '../scripts/free-port.ts'
import { type AppWindow, openWindowIn } from './support/app-window.ts'
import { BACKENDS, type BackendName, startExampleServer } from './support/example-server.ts'
import { launchChromium } from './support/launch-chromium.ts'
import type { RunningProcess } from './support/run-process.ts'
import { type Site, serveSpa } from './support/serve-spa.ts'

const SOON = { timeout: 20_000 }
const FIRST_TODOS = ['Water the plants', 'Call the bike shop', 'Book the train to Ghent']

let port: number
let api: string
let browser: Browser
let site: Site
beforeAll(async () => {
  port = await findFreePort()
  api = `http://localhost:${port}/api`
  ;[browser, site] = await Promise.all([launchChromium(), serveSpa(`http://localhost:${port}`)])
})
afterAll(() => Promise.all([browser?.close(), site?.close()]))
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())))

async function openProfile() {
  const context = await browser.newContext()
  return {
    context,
    async open(): Promise<AppWindow> {
      const window = await openWindowIn(context, `${site.url}/todos`)
      await expect.poll(() => window.isQuiet(), SOON).toBe(true)
      return window
    },
  }
}

async function signIn(window: AppWindow, name: string): Promise<void> {
  await window.switchUser(name)
  await expect.poll(async () => (await window.list('Notes'))[0], SOON).toContain(`Only ${name} sees this`)
  await expect.poll(() => window.isQuiet(), SOON).toBe(true)
}

describe.each(Object.keys(BACKENDS) as BackendName[])('the example on %s', (backend) => {
  let server: RunningProcess
  beforeAll(async () => {
    server = await startExampleServer(port, backend)
  })
  afterAll(() => server?.end('SIGKILL'))

  it('shows in one window what was added, renamed and deleted in another', async () => {
    const [one, two] = [await (await openProfile()).open(), await (await openProfile()).open()]
    expect(await two.list('Todos')).toEqual(FIRST_TODOS)
    const notesBefore = two.requests('GET /api/notes')

    await one.add('New todo', 'Buy coffee')
    await expect.poll(() => two.list('Todos'), SOON).toEqual([...FIRST_TODOS, 'Buy coffee'])

    await two.rename('Buy coffee', 'Buy tea')
    await expect.poll(() => one.list('Todos'), SOON).toEqual([...FIRST_TODOS, 'Buy tea'])

    await one.delete('Buy tea')
    await expect.poll(() => two.list('Todos'), SOON).toEqual(FIRST_TODOS)
    expect(two.requests('GET /api/notes')).toBe(notesBefore)

    await one.add('New note', 'Seen by both')
    await expect.poll(() => two.list('Notes'), SOON).toContain('Seen by both')
  })

  it('tells of what is of one user in the pages of that user, and sends not one byte of it to another (guarantee 11)', async () => {
    const [ada, grace] = [await openProfile(), await openProfile()]
    const [adas, other, graces] = [await ada.open(), await ada.open(), await grace.open()]
    await signIn(adas, 'Ada')
    await signIn(graces, 'Grace')
    // The windows of one browser share the session.
    await expect.poll(() => other.list('Notes'), SOON).toEqual(await adas.list('Notes'))
    await expect.poll(() => other.isQuiet(), SOON).toBe(true)
    const notesBefore = graces.requests('GET /api/notes')

    await adas.add('New note', 'For nobody else')

    await expect.poll(() => other.list('Notes'), SOON).toContain('For nobody else')
    await expect.poll(async () => (await other.invalidations())[0], SOON).toContain('From the server to Ada')
    // What Grace is sent of it would have been sent before this.
    await adas.add('New todo', 'For everybody')
    await expect.poll(() => graces.list('Todos'), SOON).toContain('For everybody')
    const [adasStream, gracesStream] = await Promise.all([adas.streamText(), graces.streamText()])
    const epoch = /\[\\"user\\",\\"ada\\"\]":"(\w+):/.exec(adasStream)?.[1]
    expect(adasStream).toContain('"tags":[{"key":["notes","ada"],"path":"notes.of"}]')
    expect(gracesStream).toContain(String.raw`[\"user\",\"grace\"]`)
    // A word of its own: connection ids are hexadecimal, and some have it in their midst.
    expect(gracesStream).not.toMatch(/\bada\b/i)
    expect(epoch).toBeTruthy()
    expect(gracesStream).not.toContain(epoch)
    expect(graces.requests('GET /api/notes')).toBe(notesBefore)
  })

  it('ends the streams of a user who logs out within a second, and shows nothing of that user any more', async () => {
    const profile = await openProfile()
    const [window, other] = [await profile.open(), await profile.open()]
    await signIn(window, 'Ada')
    await expect.poll(() => other.list('Notes'), SOON).toEqual(await window.list('Notes'))
    const session = (await profile.context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
    const elsewhere = await fetch(`${api}/invalidator`, { headers: { cookie: session } })
    const ended = elsewhere.text().then((text) => ({ text, at: performance.now() }))

    await window.switchUser(undefined)
    const leftAt = performance.now()

    const { text, at } = await ended
    expect(text).toContain('event: bye\ndata: {"reason":"reauthorize"')
    expect(at - leftAt).toBeLessThan(1000)
    for (const each of [window, other]) {
      await expect.poll(() => each.text(), SOON).toContain('Sign in as')
      await expect.poll(() => each.isQuiet(), SOON).toBe(true)
      expect(await each.text()).not.toContain('Only Ada sees this')
      expect((await each.list('Notes'))[0]).toContain('Notes have a tag of their own')
    }
    const again = await fetch(`${api}/invalidator`, { method: 'HEAD', headers: { cookie: session } })
    expect(again.status).toBe(200)
    expect(await (await fetch(`${api}/session`, { headers: { cookie: session } })).json()).toEqual({ user: null })
  })
})
