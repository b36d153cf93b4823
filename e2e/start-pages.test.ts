import { readdirSync, readFileSync } from 'node:fs'
import type { Browser, BrowserContext, Request } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openWindowIn, type AppWindow } from './support/app-window.ts'
import { launchChromium } from './support/launch-chromium.ts'
import { NO_ROBOT, START_APP, startOnSrvx, type StartApp } from './support/start-app.ts'

const SOON = { timeout: 30_000 }

let browser: Browser
let app: StartApp
beforeAll(async () => {
  ;[browser, app] = await Promise.all([launchChromium(), startOnSrvx(START_APP)])
})
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())))
afterAll(() => Promise.all([browser?.close(), app?.process.end('SIGKILL')]))

const newProfile = () => browser.newContext({ userAgent: NO_ROBOT })

async function openQuiet(
  path: string,
  profile: BrowserContext | Promise<BrowserContext> = newProfile(),
): Promise<AppWindow> {
  const window = await openWindowIn(await profile, app.url + path)
  await expect.poll(() => window.isQuiet(), SOON).toBe(true)
  return window
}

/** Another window in the same profile. */
const openBeside = ({ page }: AppWindow, path: string): Promise<AppWindow> => openQuiet(path, page.context())

/** Opens a page whose scripts wait until they are let through: rendered, and not connected. */
async function openHeld(path: string, profile: BrowserContext | Promise<BrowserContext> = newProfile()) {
  const context = await profile
  const released = Promise.withResolvers<void>()
  await context.route(/\.js$/, async (route) => {
    await released.promise
    await route.continue()
  })
  const window = await openWindowIn(context, app.url + path, { waitUntil: 'commit' })
  return {
    window,
    release: async (): Promise<void> => {
      released.resolve()
      await expect.poll(() => window.isQuiet(), SOON).toBe(true)
    },
  }
}

/** Signed in, with a page that was opened after that. */
async function openSignedIn(name: 'Ada' | 'Grace'): Promise<AppWindow> {
  const first = await openQuiet('/scopes')
  await first.switchUser(name)
  await expect.poll(() => first.text(), SOON).toContain(`Only ${name} sees this`)
  const window = await openBeside(first, '/scopes')
  await first.page.close()
  return window
}

/** A page that tells the server of tags it had not when it connected, and the request by which it does. */
async function showMoreTags(): Promise<{ window: AppWindow; control: Request }> {
  const window = await openQuiet('/basic')
  const controlled = window.page.waitForRequest((request) => request.postData()?.includes('watcher') === true)
  await window.follow('Infinite')
  return { window, control: await controlled }
}

const ofStream = (request: Request): boolean => new URL(request.url()).pathname === '/api/invalidator'

describe('a page that was rendered on the server', () => {
  it.each([
    ['/basic', 2],
    ['/groups', 5],
    ['/scopes', 1],
    ['/loaders', 1],
    ['/streaming', 2],
    ['/infinite', 1],
    ['/optimistic', 1],
  ])('%s asks for nothing until something changed, and then once for each of %i (guarantee 8)', async (path, reads) => {
    const window = await openQuiet(path)
    const other = await openQuiet('/groups')

    // The stream keeps its order: what an earlier frame would ask for is asked for before this.
    await other.page.getByRole('button', { name: 'Invalidate appTags()' }).click()
    await expect.poll(() => window.invalidations(), SOON).toEqual([expect.stringContaining('everything')])
    await expect.poll(() => window.isQuiet(), SOON).toBe(true)

    expect(window.serverReads()).toBe(reads)
    expect(window.requests('POST /api/invalidator')).toBe(1)
  })

  it('fetches once what changed between the read on the server and the connect, and nothing else (guarantee 8)', async () => {
    const other = await openQuiet('/basic')
    const { window, release } = await openHeld('/basic')
    await expect.poll(() => window.list('Todos'), SOON).toContain('Water the plants')

    await other.add('New todo', 'Added in the gap')
    await expect.poll(() => other.list('Todos'), SOON).toContain('Added in the gap')
    expect(await window.list('Todos')).not.toContain('Added in the gap')
    await release()

    await expect.poll(() => window.list('Todos'), SOON).toContain('Added in the gap')
    expect([await window.fetches('todos'), await window.fetches('notes')]).toEqual([1, 0])
    expect(window.serverReads()).toBe(1)
  })

  it('runs a loader once more whose tag was invalidated before the connect (guarantee 8)', async () => {
    const other = await openQuiet('/loaders')
    const { window, release } = await openHeld('/loaders')
    await expect.poll(() => window.list('Notes'), SOON).not.toEqual([])

    await other.add('New note', 'Noted in the gap')
    await expect.poll(() => other.list('Notes'), SOON).toContain('Noted in the gap')
    await release()

    await expect.poll(() => window.list('Notes'), SOON).toContain('Noted in the gap')
    expect(window.serverReads()).toBe(1)
  })
})

it('has a page for each demo, which says what to try and shows the log', async () => {
  const { page } = await openQuiet('/basic')
  const demos = {
    Basic: 'Basic tags',
    Groups: 'Groups and wildcards',
    Scopes: 'Scopes',
    Loaders: 'Loaders',
    Streaming: 'SSR and streaming',
    Infinite: 'Infinite list',
    Optimistic: 'Optimistic update',
    Persisted: 'Persisted cache',
  }
  const links = page.getByRole('navigation', { name: 'Demos' }).getByRole('link')
  expect(await links.allInnerTexts()).toEqual(['Two windows', ...Object.keys(demos)])

  for (const [link, title] of Object.entries(demos)) {
    await page.getByRole('link', { name: link, exact: true }).click()
    await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor()
    expect(await page.locator('.hint b').count()).toBeGreaterThan(0)
    expect(await page.getByRole('region', { name: 'Invalidations' }).isVisible()).toBe(true)
  }
})

it('fetches what a leaf, an instance, a family, a raw tag and a group stand for, and nothing else', async () => {
  const window = await openQuiet('/groups')
  const queries = ['todos', 'summary', 'todo 1', 'todo 2', 'notes']
  const fetchesAfter = async (tag: string): Promise<number[]> => {
    const entries = (await window.invalidations()).length
    await window.page.getByRole('button', { name: `Invalidate ${tag}`, exact: true }).click()
    await expect.poll(async () => (await window.invalidations()).length, SOON).toBe(entries + 1)
    await expect.poll(() => window.isQuiet(), SOON).toBe(true)
    return Promise.all(queries.map((query) => window.fetches(query)))
  }

  expect(await fetchesAfter('appTags.todos.list()')).toEqual([1, 0, 0, 0, 0])
  expect(await fetchesAfter("appTags.todos.byId('1')")).toEqual([1, 0, 1, 0, 0])
  expect(await fetchesAfter('appTags.todos.byId')).toEqual([1, 0, 2, 1, 0])
  expect(await fetchesAfter("['todo', '2']")).toEqual([1, 0, 2, 2, 0])
  expect(await fetchesAfter('appTags.todos()')).toEqual([2, 1, 3, 3, 0])
})

it('shows every page of an infinite list anew when somebody adds to it', async () => {
  const [window, other] = [await openQuiet('/infinite'), await openQuiet('/infinite')]
  const first = await window.list('Posts')
  await window.page.getByRole('button', { name: 'Load more' }).click()
  await expect.poll(() => window.list('Posts'), SOON).toHaveLength(10)
  const before = await window.list('Posts')

  await other.add('New post', 'On top of all pages')

  expect(before.slice(0, 5)).toEqual(first)
  await expect.poll(() => window.list('Posts'), SOON).toEqual(['On top of all pages', ...before.slice(0, 9)])
})

it('an optimistic tick does not flicker when somebody changes the list while it is being saved', async () => {
  const [window, other] = [await openQuiet('/optimistic'), await openQuiet('/basic')]
  const box = window.page.getByRole('checkbox', { checked: false }).first()
  await box.evaluate((element: HTMLInputElement) => {
    const row = element.closest('li')!
    const seen = Object.assign(globalThis, { seen: [] as (string | undefined)[] }).seen
    new MutationObserver(() => seen.push(row.dataset['done'])).observe(row, { attributeFilter: ['data-done'] })
  })

  await box.click()
  await other.add('New todo', 'Added during the tick')

  await expect.poll(() => window.list('Todos'), SOON).toContain('Added during the tick')
  await window.page.getByText('Saved', { exact: true }).waitFor()
  await expect.poll(() => window.isQuiet(), SOON).toBe(true)
  expect(await window.page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen)).toEqual(['true'])
})

it('a loader runs again in another window when its tag is invalidated', async () => {
  const [one, two] = [await openQuiet('/loaders'), await openQuiet('/loaders')]

  await one.add('New note', 'Seen by both loaders')

  await expect.poll(() => two.list('Notes'), SOON).toContain('Seen by both loaders')
  await expect.poll(() => one.list('Notes'), SOON).toContain('Seen by both loaders')
})

describe('two users', () => {
  it('hear of their own notes and of everybody’s, and not of each other’s (guarantee 11)', async () => {
    const [ada, grace] = [await openSignedIn('Ada'), await openSignedIn('Grace')]
    const [adasOther, stranger] = [await openBeside(ada, '/scopes'), await openQuiet('/scopes')]

    await ada.add('New private note', 'For Ada alone')
    await expect.poll(() => adasOther.list('Private notes'), SOON).toContain('For Ada alone')
    await ada.add('New note', 'For everybody')

    for (const window of [grace, stranger]) {
      await expect.poll(() => window.list('Shared notes'), SOON).toContain('For everybody')
      expect(await window.invalidations()).toEqual([expect.stringContaining('["notes"]')])
      expect(await window.streamText()).not.toContain('private')
      expect(await window.text()).not.toContain('For Ada alone')
    }
    expect(await adasOther.invalidations()).toEqual([
      expect.stringContaining('["notes"]'),
      expect.stringContaining('From the server to Ada'),
    ])
  })

  it('get a page with what is theirs, which asks for nothing but what changed before it connected (guarantee 8)', async () => {
    const ada = await openSignedIn('Ada')
    expect(ada.serverReads()).toBe(0)

    const { window, release } = await openHeld('/scopes', ada.page.context())
    await expect.poll(() => window.list('Private notes'), SOON).not.toEqual([])
    await ada.add('New private note', 'Written in the gap')
    await expect.poll(() => ada.list('Private notes'), SOON).toContain('Written in the gap')
    await release()

    await expect.poll(() => window.list('Private notes'), SOON).toContain('Written in the gap')
    expect(window.serverReads()).toBe(1)
  })

  it('end their streams in all windows when they sign out (guarantee 11)', async () => {
    const ada = await openSignedIn('Ada')
    const other = await openBeside(ada, '/basic')
    const elsewhere = await openSignedIn('Ada')
    const ended = other.page.waitForEvent('requestfinished', ofStream)

    await ada.switchUser(undefined)

    await ended
    for (const window of [ada, other]) await expect.poll(() => window.isQuiet(), SOON).toBe(true)
    expect(await ada.text()).toContain('Sign in as')
    expect(await ada.text()).not.toContain('Only Ada')
    const heard = await Promise.all([ada, other].map((window) => window.streamText()))
    await expect.poll(() => elsewhere.isQuiet(), SOON).toBe(true)
    await elsewhere.add('New private note', 'After the others left')
    await expect.poll(() => elsewhere.list('Private notes'), SOON).toContain('After the others left')
    await elsewhere.add('New note', 'After Ada left')
    await expect.poll(() => ada.list('Shared notes'), SOON).toContain('After Ada left')
    await expect.poll(() => other.list('Notes'), SOON).toContain('After Ada left')
    for (const [index, window] of [ada, other].entries())
      expect((await window.streamText()).slice(heard[index]!.length)).not.toContain('private')
  })
})

describe('control by a server function', () => {
  it('carries the tags of a page that one came to without a reload', async () => {
    const { window, control } = await showMoreTags()
    const other = await openQuiet('/infinite')

    await other.add('New post', 'Posted elsewhere')

    await expect.poll(() => window.list('Posts'), SOON).toContain('Posted elsewhere')
    expect(new URL(control.url()).pathname).toMatch(/^\/_serverFn\//)
    expect((await control.response())?.status()).toBe(200)
    expect(window.requests('POST /api/invalidator/watch')).toBe(0)
    expect(window.requests('POST /api/invalidator')).toBe(1)
  })

  it('is refused by Start to another site, as is a POST to the route', async () => {
    const { control } = await showMoreTags()
    const { cookie: _, ...headers } = await control.allHeaders()
    const post = (url: string, body: string | null, site: string): Promise<Response> =>
      fetch(url, { method: 'POST', headers: { ...headers, 'sec-fetch-site': site }, body })
    const route = `${app.url}/api/invalidator/watch`

    const refused = [
      await post(control.url(), control.postData(), 'cross-site'),
      await post(route, control.postData(), 'cross-site'),
    ]

    expect(refused.map(({ status }) => status)).toEqual([403, 403])
    // What the route itself refuses it refuses in JSON.
    for (const response of refused) expect(response.headers.get('content-type')).not.toContain('json')
    expect((await post(control.url(), control.postData(), 'same-origin')).status).toBe(200)
  })
})

it('has nothing of the server in what browsers get', () => {
  const ofServer = [
    'The connection is not here',
    'x-accel-buffering',
    'Book the train to Ghent',
    'insertTodo',
    'endSession',
  ]

  expect(ofServer.filter((words) => textOf('server').includes(words))).toEqual(ofServer)
  expect(ofServer.filter((words) => textOf('client').includes(words))).toEqual([])
})

function textOf(folder: 'client' | 'server'): string {
  return readdirSync(new URL(`dist/${folder}/`, START_APP), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => readFileSync(new URL(`dist/${folder}/${name}`, START_APP), 'utf8'))
    .join('\n')
}
