import type { Browser, BrowserContext, Frame, Locator, Page } from 'playwright-core'
import { onTestFailed } from 'vitest'
import { recordStreams, streamText } from './record-streams.ts'

/** Opens an address of the app in a profile of its own. A test that fails prints what its windows saw. */
export async function openWindow(browser: Browser, url: string): Promise<AppWindow> {
  return openWindowIn(await browser.newContext(), url)
}

/** Opens an address of the app in a profile that may have other windows. */
export async function openWindowIn(
  context: BrowserContext,
  url: string,
  { waitUntil = 'load' }: { waitUntil?: 'load' | 'commit' } = {},
): Promise<AppWindow> {
  const page = await context.newPage()
  await recordStreams(page)
  const log: string[] = []
  page.on('console', (message) => log.push(`console.${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => log.push(`error: ${error.message}`))
  page.on('request', (request) => log.push(`${request.method()} ${new URL(request.url()).pathname}`))
  onTestFailed(async () => {
    const text = page.isClosed() ? [] : [await page.locator('body').innerText()]
    console.error([`window at ${page.url()}`, ...log, ...text].join('\n  '))
  })
  await page.goto(url, { waitUntil })
  return new AppWindow(page, log)
}

/** The app in a page or a frame of one, as a user and the network tab see it. */
export class AppWindow {
  readonly #root: Page | Frame
  readonly #log: readonly string[]

  constructor(root: Page | Frame, log: readonly string[] = []) {
    this.#root = root
    this.#log = log
  }

  get connection(): Locator {
    return this.#root.getByRole('status')
  }

  get page(): Page {
    return 'page' in this.#root ? this.#root.page() : this.#root
  }

  /** How many requests of a kind left this page so far, e.g. `GET /api/notes`. */
  requests(line: string): number {
    return this.#log.filter((entry) => entry === line).length
  }

  /** How often this page of a Start app read something by a server function so far. */
  serverReads(): number {
    return this.#log.filter((entry) => entry.startsWith('GET /_serverFn/')).length
  }

  list(name: string): Promise<string[]> {
    return this.#root.getByRole('list', { name }).locator('.row-title').allInnerTexts()
  }

  /** The log of invalidations, newest first. */
  invalidations(): Promise<string[]> {
    return this.#root.locator('.entry').allInnerTexts()
  }

  /** Live, and no query fetches. */
  async isQuiet(): Promise<boolean> {
    const fetching = await this.#root.locator('.queries [data-state="fetching"], [aria-busy="true"]').count()
    return (await this.connection.innerText()) === 'Live' && fetching === 0
  }

  /** How often a query was fetched by this page, as its table says. */
  async fetches(query: string): Promise<number> {
    return Number(await this.#root.getByRole('row', { name: query, exact: true }).locator('.count').innerText())
  }

  async add(label: 'New todo' | 'New note' | 'New private note' | 'New post', text: string): Promise<void> {
    await this.#root.getByLabel(label).fill(text)
    await this.#root.getByLabel(label).press('Enter')
  }

  async rename(title: string, newTitle: string): Promise<void> {
    await this.#root.getByRole('button', { name: `Rename ${title}`, exact: true }).click()
    await this.#root.getByLabel(`New title of ${title}`).fill(newTitle)
    await this.#root.getByLabel(`New title of ${title}`).press('Enter')
  }

  async delete(title: string): Promise<void> {
    await this.#root.getByRole('button', { name: `Delete ${title}`, exact: true }).click()
  }

  async follow(link: string): Promise<void> {
    await this.#root.getByRole('link', { name: link, exact: true }).click()
  }

  /** Signs a user in, or with `undefined` whoever is signed in out. */
  async switchUser(name: string | undefined): Promise<void> {
    await this.#root.getByRole('button', { name: name ?? 'Sign out', exact: true }).click()
  }

  /** Everything that the server sent on this page's streams so far. */
  streamText(): Promise<string> {
    return streamText(this.page)
  }

  text(): Promise<string> {
    return this.#root.locator('body').innerText()
  }
}
