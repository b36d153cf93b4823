import { chromium, type Browser } from 'playwright-core'
import { findChromium } from '../../scripts/tools.ts'

/** Starts the machine's own Chromium. Each `browser.newContext()` is a profile of its own; close the browser yourself. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('no Chromium: install it or set CHROMIUM_PATH')
  return chromium.launch({
    executablePath,
    // Root needs --no-sandbox; the rest keeps Chromium from talking to anyone but the page's server.
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
