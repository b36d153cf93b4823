import { chromium, type Browser, type BrowserContext } from 'playwright-core'
import { findChromium } from '../../scripts/tools.ts'

/** Starts the machine's own Chromium. Each `browser.newContext()` is a profile of its own; close the browser yourself. */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch(options())
}

/** A browser with the profile that is kept in a directory. Closing the profile ends the browser, and leaves the profile for the next. */
export async function launchProfile(directory: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(directory, options())
}

function options(): { executablePath: string; args: string[] } {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('no Chromium: install it or set CHROMIUM_PATH')
  return {
    executablePath,
    // Root needs --no-sandbox; the rest keeps Chromium from talking to anyone but the page's server.
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  }
}
